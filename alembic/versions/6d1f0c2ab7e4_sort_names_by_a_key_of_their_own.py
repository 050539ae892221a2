"""Add natural sort keys, and search words for numbers and keys."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "6d1f0c2ab7e4"
down_revision: str | None = "8b7e9ffc2848"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BATCH = 2000
LIVE = sa.text("deleted_at IS NULL")
ROWS = "select id, name, tags, note, folder, key from samples where id > :after order by id limit :n"
FILL = "update samples set words = :words, sort_key = :sort_key where id = :id"

# A copy of the product's code at that time: later changes must not change this migration.
PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SHIFTS = {"": 0, "#": 1, "sharp": 1, "b": -1, "flat": -1}
LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ð": "d", "æ": "ae", "œ": "oe",
     "þ": "th"}
)  # fmt: skip
PARTS = re.compile(r"\d+|[^\W\d_]+")
KEY = re.compile(
    r"(?<![^\W_])([A-Ga-g])(#|b|[\s_-]?(?i:sharp|flat)(?![a-z]))?"
    r"(?:(m)|[\s_-]?((?i:major|minor|maj|min)))?(?![^\W_]|#)"
)


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column(
        "samples", sa.Column("sort_key", sa.Text(collation="C"), server_default="", nullable=False)
    )
    fill(op.get_bind())
    # Without a pending list: searches would have to scan it until the next vacuum.
    op.execute("alter index samples_search set (fastupdate = off)")
    op.execute("select gin_clean_pending_list('samples_search')")
    op.execute("analyze samples")
    op.drop_index("samples_by_name", table_name="samples", postgresql_where=LIVE)
    op.create_index(
        "samples_by_name", "samples", ["user_id", "sort_key", "id"], postgresql_where=LIVE
    )


def downgrade() -> None:
    """Go back to the older schema; the words of names find as before."""
    op.drop_index("samples_by_name", table_name="samples", postgresql_where=LIVE)
    op.create_index(
        "samples_by_name",
        "samples",
        ["user_id", sa.literal_column("lower(name)"), "id"],
        postgresql_where=LIVE,
    )
    op.drop_column("samples", "sort_key")
    op.execute("alter index samples_search reset (fastupdate)")


def fill(connection: sa.Connection) -> None:
    """Fill search words and sort keys of all samples, in batches."""
    after = "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(sa.text(ROWS), {"after": after, "n": BATCH}).all():
        connection.execute(
            sa.text(FILL),
            [
                {
                    "id": row.id,
                    "words": words(row.key, [row.name, *row.tags, row.note, row.folder]),
                    "sort_key": sort_key(row.name),
                }
                for row in rows
            ],
        )
        after = rows[-1].id


def plain(text: str) -> str:
    """Return a text without accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("♯", "#").replace("♭", "b"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def fold(text: str) -> str:
    """Return a text without case and accents."""
    return plain(text).casefold().translate(LETTERS)


def sort_key(name: str) -> str:
    """Return the sort key of a name."""
    folded = fold(name).strip()
    symbols = re.sub(r"[^\W_].*", "", folded, flags=re.DOTALL).strip()
    spoken = " ".join(
        f"{min(99, len(str(int(part)))):02}{int(part)}" if part.isdecimal() else part
        for part in PARTS.findall(folded)
    )
    first = "\x02" + symbols + spoken if symbols else spoken
    return first[:300] + "\x01" + name.casefold()[:200]


def words(key: str | None, texts: list[str]) -> str:
    """Return the search words of a sample."""
    found: dict[str, None] = {}
    for text in map(plain, texts):
        found.update(dict.fromkeys(keys(text)))
        for variant in dict.fromkeys((text, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))):
            for whole in re.findall(r"[^\W_]+", fold(variant)):
                found.update(dict.fromkeys(forms(whole[:40])))
    return f"{of_key(key)} {' '.join(found)[:4000]}".strip()


def forms(word: str) -> list[str]:
    """Return a word, its runs of letters and digits, and its numbers without leading zeros."""
    parts = PARTS.findall(word)
    every = [word, *(parts if len(parts) > 1 else [])]
    return every + [form.lstrip("0") or "0" for form in every if form.isdecimal()]


def keys(text: str) -> Iterator[str]:
    """Yield the keys in a text, each as one word."""
    for letter, sign, m, mode in KEY.findall(text):
        clean = sign.strip(" _-").lower()
        if clean in {"#", "sharp", "flat"} or mode or (letter.isupper() and (clean or m)):
            minor = m or mode.lower().startswith("min")
            pitch = PITCHES[(PITCHES.index(letter.upper()) + SHIFTS[clean]) % 12]
            yield token(pitch, "minor" if minor else "major" if mode else "")


def of_key(key: str | None) -> str:
    """Return the search words of a sample's key."""
    if not key:
        return ""
    tonic, mode = key.split()
    place = 7 * (PITCHES.index(tonic) + (3 if mode == "minor" else 0)) + 7
    return f"{token(tonic, mode)} {mode} {place % 12 + 1}{'a' if mode == 'minor' else 'b'}"


def token(pitch: str, mode: str) -> str:
    """Return a key as one word."""
    return f"key{pitch.lower().replace('#', 'sharp')}{mode}"
