"""Name four columns after what they hold; indexes and generated columns follow by themselves."""

from collections.abc import Sequence

from alembic import op

revision: str = "d4a7c15e90b2"
down_revision: str | None = "6d1f0c2ab7e4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RENAMED_COLUMNS = (
    ("samples", "words", "search_text"),
    ("samples", "copy_group", "duplicate_group_id"),
    ("subscriptions", "surplus", "is_secondary"),
    ("processing_jobs", "counted_for", "usage_period_start"),
)


def upgrade() -> None:
    """Go to the newer schema."""
    for table, old_name, new_name in RENAMED_COLUMNS:
        op.alter_column(table, old_name, new_column_name=new_name)


def downgrade() -> None:
    """Go back to the older schema."""
    for table, old_name, new_name in RENAMED_COLUMNS:
        op.alter_column(table, new_name, new_column_name=old_name)
