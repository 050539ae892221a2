"""Store the encrypted body of e-mails until a job has sent them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7c41d90be2a5"
down_revision: str | None = "d4a7c15e90b2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Unsent e-mails of the former version have no body, so they cannot be sent.
GIVE_UP_WITHOUT_BODY = """
    update unsent_mails set failed_at = now(), reason = 'The server restarted before it was sent.'
    where failed_at is null and encrypted_body is null
"""


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column("unsent_mails", sa.Column("encrypted_body", sa.LargeBinary(), nullable=True))
    op.add_column(
        "unsent_mails", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("unsent_mails", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(GIVE_UP_WITHOUT_BODY)


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column("unsent_mails", "due_at")
    op.drop_column("unsent_mails", "attempts")
    op.drop_column("unsent_mails", "encrypted_body")
