"""index samples outside the trash."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'b3e5d1907a26'
down_revision: str | None = '7c1f0a52e9d4'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GINS = (("samples_search", "search", {"fastupdate": "off"}), ("samples_tags", "tags", {}))


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_index('samples_by_rating', 'samples', ['user_id', 'rating', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL AND rating > 0'))
    op.create_index('samples_favourites', 'samples', ['user_id', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL AND favourite'))
    for name, column, options in GINS:
        op.drop_index(name, table_name='samples')
        op.create_index(name, 'samples', [column], unique=False, postgresql_using='gin', postgresql_with=options, postgresql_where=sa.text('deleted_at IS NULL'))


def downgrade() -> None:
    """Go back to the older schema."""
    for name, column, options in reversed(GINS):
        op.drop_index(name, table_name='samples')
        op.create_index(name, 'samples', [column], unique=False, postgresql_using='gin', postgresql_with=options)
    op.drop_index('samples_favourites', table_name='samples')
    op.drop_index('samples_by_rating', table_name='samples')
