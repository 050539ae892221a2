"""index tempi by folder."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = '9b1f6c2ad470'
down_revision: str | None = 'f9f40f858c45'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_index('samples_tempi_by_folder', 'samples', ['user_id', sa.literal_column('md5(folder)')], unique=False, postgresql_where=sa.text('deleted_at IS NULL AND bpm IS NOT NULL'))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index('samples_tempi_by_folder', table_name='samples')
