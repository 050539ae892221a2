"""add object deletions."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = '7c1f0a52e9d4'
down_revision: str | None = '4cd13f895a33'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_table('object_deletions',
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_index(op.f('ix_object_deletions_due_at'), 'object_deletions', ['due_at'], unique=False)


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index(op.f('ix_object_deletions_due_at'), table_name='object_deletions')
    op.drop_table('object_deletions')
