"""add sources of audio."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '8a8899246130'
down_revision: str | None = '23c6843eb016'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.add_column('card_imports', sa.Column('folders', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('card_imports', sa.Column('sample_keys', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False))
    op.add_column('pad_sources', sa.Column('audio_sha256', sqlmodel.sql.sqltypes.AutoString(length=64), server_default=sa.text("''"), nullable=False))
    op.add_column('pad_sources', sa.Column('sample_id', sa.Uuid(), nullable=True))
    op.create_index('pad_sources_by_audio', 'pad_sources', ['user_id', 'audio_sha256'], unique=False)
    op.create_index('pad_sources_by_sample', 'pad_sources', ['sample_id'], unique=False)
    op.create_foreign_key('pad_sources_sample_of_owner', 'pad_sources', 'samples', ['sample_id', 'user_id'], ['id', 'user_id'], ondelete='SET NULL (sample_id)')


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_constraint('pad_sources_sample_of_owner', 'pad_sources', type_='foreignkey')
    op.drop_index('pad_sources_by_sample', table_name='pad_sources')
    op.drop_index('pad_sources_by_audio', table_name='pad_sources')
    op.drop_column('pad_sources', 'sample_id')
    op.drop_column('pad_sources', 'audio_sha256')
    op.drop_column('card_imports', 'sample_keys')
    op.drop_column('card_imports', 'folders')
