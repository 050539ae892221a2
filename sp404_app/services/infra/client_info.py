"""The client of a request: IP address and user agent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """IP address and user agent of a request; headers of untrusted proxies are ignored."""

    ip: str = ""
    user_agent: str = ""
