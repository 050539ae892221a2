"""Cookies of the browser: no script reads them, and no other site sends them with a form."""

from fastapi.responses import Response

from sp404_app.settings import settings


def set_cookie(answer: Response, name: str, value: str, seconds: int, path: str = "/") -> None:
    """Set a cookie for some seconds; 0 deletes it."""
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        secure=settings().origin.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
