"""One module per address: the function that draws it. Routes are in `sp404_app.sp404_app`."""

from sp404_app.pages.account import account
from sp404_app.pages.billing import billing
from sp404_app.pages.change_email import change_email, revert_email
from sp404_app.pages.dev_outbox import dev_outbox
from sp404_app.pages.dev_stripe import dev_stripe
from sp404_app.pages.forgot_password import forgot_password
from sp404_app.pages.index import index
from sp404_app.pages.library import library
from sp404_app.pages.login import login
from sp404_app.pages.not_found import not_found
from sp404_app.pages.operator import operator
from sp404_app.pages.plans import plans
from sp404_app.pages.reset_password import reset_password
from sp404_app.pages.sample import sample
from sp404_app.pages.signup import signup
from sp404_app.pages.usage import usage
from sp404_app.pages.verify_email import verify_email

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
