"""add places on the map."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '9a40c2d6e817'
down_revision: str | None = '5e1c77a0b9d3'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('samples', sa.Column('map_x', sa.REAL(), nullable=True))
    op.add_column('samples', sa.Column('map_y', sa.REAL(), nullable=True))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('samples', 'map_y')
    op.drop_column('samples', 'map_x')
