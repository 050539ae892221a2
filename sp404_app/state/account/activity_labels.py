"""What the lines of the audit log mean, for the person they are about."""

WORDS = {
    "registered": "The account was made",
    "registered_again": "Somebody signed up with your address again",
    "email_verified": "The address was confirmed",
    "signed_in": "Signed in",
    "sign_in_failed": "A sign-in failed: wrong password",
    "second_step_failed": "A sign-in failed: wrong code",
    "signed_out": "Signed out",
    "signed_out_everywhere": "Signed out everywhere",
    "signed_out_by_operator": "The operator signed out every device",
    "signed_out_others": "Signed out all other devices",
    "device_revoked": "Signed out a device",
    "refresh_token_reused": "A used refresh token came back, so its sign-in was ended",
    "confirmation_failed": "A confirmation failed: wrong password",
    "password_change_failed": "A change of password failed: wrong present password",
    "password_forgotten": "A link for a new password was asked for",
    "password_changed": "The password was changed",
    "email_change_asked": "A new address was asked for",
    "email_changed": "The address was changed",
    "email_reverted": "The address was changed back, and every device signed out",
    "two_factor_on": "Two-step sign-in was turned on",
    "two_factor_off": "Two-step sign-in was turned off",
    "recovery_code_used": "Signed in with a recovery code",
    "recovery_codes_renewed": "New recovery codes were made",
    "token_made": "An access token was made",
    "token_revoked": "An access token was revoked",
    "event_replayed": "As operator: events from Stripe were worked on again",
    "comparison_asked": "As operator: everybody was compared with Stripe",
    "export_asked": "An export of all data was asked for",
}


def said_of(action: str) -> str:
    """Say what happened; what has no words of its own is shown as it is."""
    return WORDS.get(action, action.replace("_", " ").capitalize())
