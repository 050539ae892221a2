"""URL of the account page."""

from sp404_app.pages.account.account import account
from sp404_app.pages.page import Page
from sp404_app.state.account.account import AccountState
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth.access_tokens import TokensState
from sp404_app.state.auth.password_meter import StrengthState
from sp404_app.state.auth.two_factor import TwoFactorState
from sp404_app.state.layout import LayoutState

ACCOUNT_PAGES = (
    Page(
        route="/account",
        component=account,
        title="Account",
        on_load=[
            LayoutState.load,
            AccountState.load,
            StrengthState.load,
            TwoFactorState.load,
            TokensState.load,
            OwnDataState.load,
        ],
    ),
)
