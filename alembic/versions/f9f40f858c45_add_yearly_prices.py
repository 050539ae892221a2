"""add yearly prices."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision: str = 'f9f40f858c45'
down_revision: str | None = '9a40c2d6e817'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('subscriptions', sa.Column('interval', sqlmodel.sql.sqltypes.AutoString(), server_default='month', nullable=False))
    op.add_column('subscriptions', sa.Column('pending_interval', sqlmodel.sql.sqltypes.AutoString(), server_default='', nullable=False))
    # Every change that is scheduled was made while all prices were monthly.
    op.execute("update subscriptions set pending_interval = 'month' where pending_tier <> ''")


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('subscriptions', 'pending_interval')
    op.drop_column('subscriptions', 'interval')
