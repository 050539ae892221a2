"""Labels of audit log events for the user."""

ACTIVITY_LABELS = {
    "registered": "Account created",
    "registered_again": "Someone signed up with your email again",
    "email_verified": "Email confirmed",
    "signed_in": "Signed in",
    "sign_in_failed": "Sign-in failed: wrong password",
    "second_step_failed": "Sign-in failed: wrong code",
    "signed_out": "Signed out",
    "signed_out_everywhere": "Signed out everywhere",
    "signed_out_by_operator": "The operator signed out all devices",
    "exported_by_operator": "The operator exported all your data",
    "signed_out_others": "Signed out all other devices",
    "device_revoked": "Signed out a device",
    "refresh_token_reused": "A refresh token was reused, so its device was signed out",
    "confirmation_failed": "Password check failed: wrong password",
    "password_change_failed": "Password change failed: wrong current password",
    "password_forgotten": "Password reset requested",
    "password_changed": "Password changed",
    "email_change_asked": "Email change requested",
    "email_changed": "Email changed",
    "email_reverted": "Email change reverted, all devices signed out",
    "two_factor_on": "Two-factor authentication turned on",
    "two_factor_off": "Two-factor authentication turned off",
    "recovery_code_used": "Signed in with a recovery code",
    "recovery_codes_renewed": "New recovery codes created",
    "token_made": "Access token created",
    "token_revoked": "Access token revoked",
    "event_replayed": "As operator: Stripe events replayed",
    "comparison_asked": "As operator: all users compared with Stripe",
    "share_taken_down": "As operator: a link taken down",
    "share_report_dismissed": "As operator: a report of a link dismissed",
    "share_taken_down_by_operator": "The operator took down a link",
    "export_asked": "Data export requested",
}


def activity_label(action: str) -> str:
    """Return the label of an audit log event, or its code as text if it has none."""
    return ACTIVITY_LABELS.get(action, action.replace("_", " ").capitalize())
