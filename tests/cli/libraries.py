"""Two libraries, of which one is restored over the other, and what they contain."""

import psycopg

from sp404_app.cli import backup
from sp404_app.models import Sample, User
from sp404_app.services.infra import storage
from sp404_app.settings import Settings
from sp404_app.supervisor import migrations
from tests.cli.test_backup import session_on

EMAIL = "dj@example.org"
KEY = "ab/kick.wav"
OTHER_KEY = "cd/snare.wav"


def fill(here: Settings, email: str, key: str, pepper: str) -> None:
    """Migrate the database; add a user, a sample with its file, and the pepper."""
    migrations.run_migrations(here.database_url)
    storage.save_bytes(key.encode(), key)
    here.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    (here.secrets / "pepper").write_text(pepper)
    with session_on(here.database_url) as session:
        user = User(email=email, password_hash="x")
        session.add(user)
        session.flush()
        session.add(
            Sample(user_id=user.id, name="kick\tA\\", filename="kick.wav", storage_key=key,
                   size=len(key), digest="d", format="WAV")
        )  # fmt: skip
        session.commit()


def contents(here: Settings) -> tuple[list[str], set[str], dict[str, str]]:
    """Return the users, the files, and the secrets with their contents."""
    with psycopg.connect(here.database_url) as connection:
        users = [email for (email,) in connection.execute("select email from users")]
    files = set(backup.list_stored_keys())
    secrets = {str(p.relative_to(here.secrets)): p.read_text() for p in here.secrets.rglob("*")}
    return users, files, secrets


OLD = (["old@example.org"], {OTHER_KEY}, {"pepper": "old"})
NEW = ([EMAIL], {KEY}, {"pepper": "new"})
