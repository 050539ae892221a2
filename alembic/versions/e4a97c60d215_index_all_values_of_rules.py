"""index all values of rules."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'e4a97c60d215'
down_revision: str | None = 'b3e5d1907a26'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INCLUDED = ['bpm', 'duration', 'key', 'kind', 'sound_class', 'duplicate_group_id', 'favourite', 'rating', 'status', 'tags', 'search']


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_index('samples_by_filters', 'samples', ['user_id', 'id'], unique=False, postgresql_include=INCLUDED, postgresql_where=sa.text('deleted_at IS NULL AND octet_length(search_text) <= 200 AND cardinality(tags) <= 6'))
    op.create_index('samples_beside_filters', 'samples', ['user_id', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL AND (octet_length(search_text) > 200 OR cardinality(tags) > 6)'))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index('samples_beside_filters', table_name='samples')
    op.drop_index('samples_by_filters', table_name='samples')
