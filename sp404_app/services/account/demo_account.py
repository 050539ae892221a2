"""The demo account of a development machine, with synthesized samples."""

import tempfile
from pathlib import Path

import soundfile
from sqlmodel import Session, func, select

from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.auth import passwords
from sp404_app.services.library import samples

EMAIL = "demo@example.com"
PASSWORD = "sixteen pads"  # noqa: S105 - printed at each start of a development machine


def ensure_demo() -> None:
    """Create the demo account and its samples in one transaction, unless it exists."""
    with transaction() as session, tempfile.TemporaryDirectory() as folder:
        if session.exec(select(User.id).where(func.lower(User.email) == EMAIL)).first():
            return
        user = User(
            email=EMAIL,
            password_hash=passwords.hash_now(PASSWORD),
            first_name="Demo",
            email_verified_at=now(),
            is_demo=True,
        )
        session.add(user)
        session.flush()
        for sound in demo_sounds():
            _add_demo_sample(session, user, sound, Path(folder))


def _add_demo_sample(session: Session, user: User, sound: DemoSound, folder: Path) -> None:
    path = folder / f"{sound.name}.wav"
    soundfile.write(path, sound.signal, sound.sample_rate, subtype="PCM_16")
    incoming = samples.inspect(path, path.name)
    samples.add(session, user.id, incoming, tag_names=sound.tags, is_demo=True)
