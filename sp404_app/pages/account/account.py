"""/account: the user's settings."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.account_nav import section_nav
from sp404_app.components.brand import style_sheet
from sp404_app.components.form_help import form_help
from sp404_app.components.plain_form import plain_form
from sp404_app.components.server_link import server_link
from sp404_app.components.theme import theme_choice
from sp404_app.pages.account import personal_data, security
from sp404_app.pages.auth.password_field import new_password_with_meter
from sp404_app.pages.auth.reauthentication_dialog import confirm_dialog
from sp404_app.pages.layout import layout
from sp404_app.state.account.account import AccountState, DeviceRow
from sp404_app.state.auth.reauthentication import ConfirmState

LEGAL_PAGES = ("Terms", "Privacy", "Contact")
SECTIONS = (
    ("profile", "Profile"),
    ("security", "Security"),
    ("devices", "Devices"),
    ("tokens", "Tokens"),
    ("preferences", "Preferences"),
    ("data", "Your data"),
)
SWITCHES = (
    ("autoplay", "Play sounds when selected"),
    ("level_previews", "Play all sounds at the same loudness"),
    ("folders_become_tags", "Add folder names as tags on upload"),
)


def account() -> rx.Component:
    """Render the page."""
    return layout(
        style_sheet("/account.css"),
        rx.el.div(
            rx.el.header(
                rx.el.div(
                    rx.el.h1("Account"),
                    rx.el.p(AccountState.email, class_name="mono muted", id="account-email"),
                ),
                _sign_out("phone-sign-out"),
                class_name="account-head",
            ),
            rx.cond(
                AccountState.loaded,
                rx.el.div(
                    section_nav(sections=list(SECTIONS)), _sections(), class_name="account-body"
                ),
                rx.el.p("One moment…", class_name="muted"),
            ),
            rx.el.footer(
                *(
                    server_link(name, href=f"/{name.lower()}", class_name="link quiet touch-target")
                    for name in LEGAL_PAGES
                ),
                class_name="account-foot",
            ),
            class_name="page account",
            # While the dialog is open, nothing behind it can be focused.
            custom_attrs={"data-testid": "account", "inert": ConfirmState.asking},
        ),
        confirm_dialog(),
        form_help(),
        current="/account",
    )


def _sections() -> rx.Component:
    """Render the sections; each has the id of its link in the navigation."""
    cards = {
        "profile": (
            forms.section("Profile", personal_data.photo_form(), _names()),
            forms.section("Email", personal_data.email_form()),
        ),
        "security": (
            forms.section("Password", _password()),
            forms.section("Two-factor authentication", security.two_factor_panel()),
            forms.section("Recent activity", personal_data.activity_list()),
        ),
        "devices": (forms.section("Signed-in devices", _devices()),),
        "tokens": (forms.section("Access tokens", security.tokens_panel()),),
        "preferences": (forms.section("Preferences", _preferences()),),
        "data": (
            forms.section("Shared links", _shared_links()),
            forms.section("Your data", personal_data.export_panel()),
            forms.section("Delete account", personal_data.deletion_panel()),
        ),
    }
    return rx.el.div(
        *(rx.el.div(*cards[name], id=name, class_name="account-section") for name, _ in SECTIONS),
        class_name="account-sections",
    )


def _shared_links() -> rx.Component:
    return rx.fragment(
        rx.el.p("What you share by link, and how often it was played.", class_name="muted"),
        rx.el.div(
            rx.el.a("Show links", href="/shares", class_name="button", data_testid="show-links")
        ),
    )


def _names() -> rx.Component:
    wrong, said = AccountState.problems, AccountState.said
    return rx.el.form(
        rx.el.div(
            _name("first_name", "First name", "given-name", AccountState.first_name),
            _name("last_name", "Last name", "family-name", AccountState.last_name),
            class_name="halves",
        ),
        forms.notice(wrong["form"]),
        forms.notice(said["names"], "ok", "names-said"),
        rx.el.div(
            rx.el.button(
                "Save",
                type="submit",
                class_name="button",
                custom_attrs={"data-testid": "save-names"},
            ),
        ),
        on_submit=AccountState.save_names,
        class_name="stack",
    )


def _name(name: str, label: str, autocomplete: str, value: forms.Text) -> rx.Component:
    return forms.field(
        name,
        label,
        autocomplete=autocomplete,
        problem=AccountState.problems[name],
        max_length=100,
        default_value=value,
    )


def _password() -> rx.Component:
    wrong, said = AccountState.problems, AccountState.said
    return rx.el.form(
        forms.field(
            "current_password",
            "Current password",
            kind="password",
            autocomplete="current-password",
            problem=wrong["current_password"],
            required=True,
        ),
        new_password_with_meter("New password", wrong["password"]),
        forms.notice(wrong["password_form"], testid="password-notice"),
        forms.notice(said["password"], "ok", "password-said"),
        rx.el.div(
            rx.el.button(
                rx.cond(AccountState.busy, "One moment…", "Change password"),
                type="submit",
                disabled=AccountState.busy,
                class_name="button",
                custom_attrs={"data-testid": "change-password"},
            ),
        ),
        key=f"round-{AccountState.form_round}",
        on_submit=AccountState.change_password,
        class_name="stack",
    )


def _preferences() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.p("Theme", class_name="field-label"),
            theme_choice(on_chosen=AccountState.set_theme),
            class_name="field",
        ),
        *[_switch(name, label) for name, label in SWITCHES],
        class_name="stack",
    )


def _switch(name: str, label: str) -> rx.Component:
    on = AccountState.switches[name]
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            key=f"{name}-{on}",
            default_checked=on,
            on_change=AccountState.set_preference(name, rx.cond(on, False, True)),
            custom_attrs={"data-testid": name},
        ),
        label,
        class_name="choice touch-target",
    )


def _devices() -> rx.Component:
    return rx.el.div(
        rx.el.ul(rx.foreach(AccountState.devices, _device), class_name="devices"),
        rx.el.div(
            rx.cond(
                AccountState.has_others,
                rx.el.button(
                    "Sign out other devices",
                    type="button",
                    on_click=AccountState.revoke_others,
                    class_name="button",
                    custom_attrs={"data-testid": "revoke-others"},
                ),
            ),
            _sign_out("sign-out"),
            class_name="row",
        ),
        class_name="stack",
    )


def _sign_out(testid: str) -> rx.Component:
    return plain_form(
        rx.el.button(
            "Sign out", type="submit", class_name="button", custom_attrs={"data-testid": testid}
        ),
        action="/auth/session/end",
        method="post",
    )


def _device(device: DeviceRow) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(device.name, class_name="device-name"),
            rx.cond(device.current, rx.el.span("this device", class_name="badge")),
            rx.el.p(device.facts, class_name="muted mono device-facts"),
        ),
        rx.cond(
            device.current,
            rx.fragment(),
            rx.el.button(
                "Sign out",
                type="button",
                on_click=AccountState.revoke(device.id),
                class_name="button danger small",
                custom_attrs={"aria-label": f"Sign out {device.name}", "data-testid": "revoke"},
            ),
        ),
        class_name="device",
        custom_attrs={"data-testid": "device"},
    )
