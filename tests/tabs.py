"""Create states as in a browser tab, with the router data of a websocket."""

from typing import TypeVar

import reflex as rx
from reflex.istate.data import RouterData

from sp404_app.services.auth import sessions

S = TypeVar("S", bound=rx.State)


def in_tab(
    state: S,
    cookie: str,
    *,
    url: str = "/",
    ip: str = "127.0.0.1",
    user_agent: str = "",
    cookies: str = "",
    **headers: str,
) -> S:
    """Give a state the router data of a tab with this session cookie."""
    header = cookies or f"{sessions.cookie_name()}={cookie}"
    data = {
        "headers": {
            "cookie": header,
            "user-agent": user_agent,
            "origin": "http://localhost:3000",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "ip": ip,
        "asPath": url,
        "pathname": url.partition("?")[0],
    }
    object.__setattr__(state, "router", RouterData.from_router_data(data))
    return state
