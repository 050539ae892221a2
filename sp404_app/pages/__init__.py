"""Pages: one module per URL with the function that renders it. `sp404_app.py` has the routes."""

from sp404_app.pages.account.account import account
from sp404_app.pages.auth.change_email import change_email, revert_email
from sp404_app.pages.auth.forgot_password import forgot_password
from sp404_app.pages.auth.login import login
from sp404_app.pages.auth.reset_password import reset_password
from sp404_app.pages.auth.signup import signup
from sp404_app.pages.auth.verify_email import verify_email
from sp404_app.pages.billing.admin import operator
from sp404_app.pages.billing.billing import billing
from sp404_app.pages.billing.plans import plans
from sp404_app.pages.billing.usage import usage
from sp404_app.pages.dev.outbox import dev_outbox
from sp404_app.pages.dev.stripe import dev_stripe
from sp404_app.pages.landing import index
from sp404_app.pages.library import library
from sp404_app.pages.not_found import not_found
from sp404_app.pages.sample.sample import sample

__all__ = [
    "account",
    "billing",
    "change_email",
    "dev_outbox",
    "dev_stripe",
    "forgot_password",
    "index",
    "library",
    "login",
    "not_found",
    "operator",
    "plans",
    "reset_password",
    "revert_email",
    "sample",
    "signup",
    "usage",
    "verify_email",
]
