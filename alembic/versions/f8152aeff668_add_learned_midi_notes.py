"""add learned MIDI notes."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = 'f8152aeff668'
down_revision: str | None = '429971e36a5a'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('user_preferences', sa.Column('midi_notes', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('user_preferences', 'midi_notes')
