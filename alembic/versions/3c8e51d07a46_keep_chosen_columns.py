"""keep the chosen columns of the list of samples."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '3c8e51d07a46'
down_revision: str | None = '9b1f6c2ad470'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('user_preferences', sa.Column('list_columns', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('user_preferences', 'list_columns')
