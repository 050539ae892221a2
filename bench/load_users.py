"""Accounts for a load test, made on the host itself; prints a personal access token per account.

    .venv/bin/python bench/load_users.py --users 1000 --size 200 > build/load-tokens.txt
    .venv/bin/python bench/load_users.py --remove

It uses the settings of the environment, as `python -m sp404_app` does. The samples of the accounts
have no audio. Tokens end after a day.
"""

import argparse
import datetime as dt
import secrets

from instance import fill_library
from services import use_services_of
from sqlmodel import Session, col, delete

from sp404_app.db import transaction
from sp404_app.models import PersonalToken, User
from sp404_app.models.columns import now
from sp404_app.services.auth.personal_access_tokens import PREFIX, Scope
from sp404_app.services.auth.sessions import hash_token
from sp404_app.settings import settings

DOMAIN = "load.invalid"  # RFC 2606: no mail reaches it
SCOPES = sorted({Scope.SAMPLES_READ, Scope.SAMPLES_WRITE})


def main() -> None:
    """Make the accounts, or remove those of earlier calls."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=1000)
    options.add_argument("--size", type=int, default=200)
    options.add_argument("--remove", action="store_true")
    chosen = options.parse_args()
    if not settings().database_url:  # of a `serve` on this machine
        use_services_of(str(settings().home))
    with transaction() as session:
        session.exec(delete(User).where(col(User.email).endswith(f"@{DOMAIN}")))
        if not chosen.remove:
            for number in range(chosen.users):
                print(make_account(session, number, chosen.size))


def make_account(session: Session, number: int, size: int) -> str:
    """Make an account with a library that cannot sign in; return a token for it."""
    user = User(email=f"{number}@{DOMAIN}", password_hash="!", email_verified_at=now())  # noqa: S106
    session.add(user)
    fill_library(session, user, size, seed=number)
    token = PREFIX + secrets.token_urlsafe(32)
    row = PersonalToken(
        user_id=user.id,
        name="load",
        hash=hash_token(token),
        ending=token[-4:],
        abilities=SCOPES,
        expires_at=now() + dt.timedelta(days=1),
    )
    session.add(row)
    session.flush()
    return token


if __name__ == "__main__":
    main()
