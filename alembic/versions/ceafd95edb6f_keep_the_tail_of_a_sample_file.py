"""keep the tail of a sample file."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = 'ceafd95edb6f'
down_revision: str | None = '8a8899246130'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('pad_sources', sa.Column('audio_tail', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('pad_sources', 'audio_tail')
