"""Builders of portal configurations and sessions."""

from stripe_emulator.objects import Object, new_id, nulls

CANCELLATION_REASONS = [
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "other",
]


def new_portal_configuration(moment: int) -> Object:
    """Return a configuration with all features disabled."""
    return {
        "id": new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": nulls("headline privacy_policy_url terms_of_service_url"),
        "created": moment,
        "default_return_url": None,
        "features": default_features(),
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": moment,
    }


def default_features() -> Object:
    """Return the features that are used where the request sets none: all disabled."""
    return {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": False},
        "payment_method_update": {"enabled": False, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {
                "enabled": False,
                "feedback_options": [],
                "options": list(CANCELLATION_REASONS),
            },
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {
            "duration": {"interval_options": [], "type": "indefinite"},
            "enabled": False,
        },
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "products": [],
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def new_portal_session(moment: int, customer: str, configuration_id: str) -> Object:
    """Return a portal session."""
    return {
        "id": new_id("bps"),
        "object": "billing_portal.session",
        "configuration": configuration_id,
        "created": moment,
        "customer": customer,
        "livemode": False,
        "url": "",
        **nulls("customer_account flow locale on_behalf_of return_url"),
    }
