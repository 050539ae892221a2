"""add words of sound."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '5e1c77a0b9d3'
down_revision: str | None = 'c7f20b9d4e18'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('samples', sa.Column('sound_words', sa.ARRAY(sa.Text()), server_default='{}', nullable=False))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('samples', 'sound_words')
