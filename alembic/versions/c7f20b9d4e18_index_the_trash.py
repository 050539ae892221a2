"""index the trash."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'c7f20b9d4e18'
down_revision: str | None = 'e4a97c60d215'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_index('samples_in_trash', 'samples', ['user_id', 'deleted_at'], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index('samples_in_trash', table_name='samples')
