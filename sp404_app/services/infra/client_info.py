"""The client of a request: IP address and user agent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as far as we believe it."""

    ip: str = ""
    user_agent: str = ""
