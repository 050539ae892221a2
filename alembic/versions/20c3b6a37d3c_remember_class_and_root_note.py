"""Store sound class and root note on samples."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "20c3b6a37d3c"
down_revision: str | None = "a1908569ca10"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Values of the newest analysis of each sample.
KNOWN = """
update samples set sound_class = known.sound_class, root_note = known.root_note
from (
    select distinct on (sample_id) sample_id,
        nullif(content->>'sound_class', '') as sound_class, (content->>'root_note')::int as root_note
    from analyses where status = 'ready' order by sample_id, created_at desc
) as known
where known.sample_id = samples.id
"""


def upgrade() -> None:
    """Go to the newer schema."""
    text = sqlmodel.sql.sqltypes.AutoString()
    op.add_column("samples", sa.Column("sound_class", text, nullable=True))
    op.add_column("samples", sa.Column("root_note", sa.Integer(), nullable=True))
    op.create_check_constraint(
        "samples_root_note_range", "samples", "root_note is null or root_note between 0 and 127"
    )
    op.execute(KNOWN)


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_constraint("samples_root_note_range", "samples")
    op.drop_column("samples", "root_note")
    op.drop_column("samples", "sound_class")
