"""The demo account of a development machine, with sounds, collections and a finished project."""

import tempfile
from pathlib import Path

import soundfile
from sqlmodel import Session, func, select

from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.account import demo_collections, demo_project
from sp404_app.services.auth import passwords
from sp404_app.services.library import samples

DEMO_EMAIL = "demo@example.com"
DEMO_PASSWORD = "sixteen pads"  # noqa: S105 - printed at each start of a development machine


def ensure_demo_account() -> None:
    """Create the demo account with its samples, collections and project, unless it exists."""
    with transaction() as session:
        found = session.exec(select(User).where(func.lower(User.email) == DEMO_EMAIL)).first()
        if found is None:
            found = _create_demo_account(session)
        if found.is_demo:
            demo_project.ensure_demo_project(session, found.id)


def _create_demo_account(session: Session) -> User:
    with tempfile.TemporaryDirectory() as folder:
        user = User(
            email=DEMO_EMAIL,
            password_hash=passwords.hash_password_blocking(DEMO_PASSWORD),
            first_name="Demo",
            email_verified_at=now(),
            is_demo=True,
        )
        session.add(user)
        session.flush()
        for sound in demo_sounds():
            _add_demo_sample(session, user, sound, Path(folder))
    demo_collections.add_demo_collections(session, user.id)
    return user


def _add_demo_sample(session: Session, user: User, sound: DemoSound, folder: Path) -> None:
    path = folder / f"{sound.name}.wav"
    soundfile.write(path, sound.signal, sound.sample_rate, subtype="PCM_16")
    incoming = samples.inspect_file(path, path.name)
    samples.add_sample(session, user.id, incoming, tag_names=sound.tags, is_demo=True)
