"""add collections."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '3f3689887353'
down_revision: str | None = '8a8899246130'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_table('collections',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=4000), nullable=False),
    sa.Column('colour', sqlmodel.sql.sqltypes.AutoString(length=7), nullable=False),
    sa.Column('rules', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("name <> ''", name='collections_name_not_empty'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id', 'user_id', name='collections_owner_key')
    )
    op.create_index('collections_by_user', 'collections', ['user_id', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index(op.f('ix_collections_user_id'), 'collections', ['user_id'], unique=False)
    op.create_table('collection_samples',
    sa.Column('collection_id', sa.Uuid(), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['collection_id', 'user_id'], ['collections.id', 'collections.user_id'], name='collection_samples_collection_of_owner', ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['sample_id', 'user_id'], ['samples.id', 'samples.user_id'], name='collection_samples_sample_of_owner', ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('collection_id', 'sample_id')
    )
    op.create_index('collection_samples_by_position', 'collection_samples', ['collection_id', 'position', 'sample_id'], unique=False)
    op.create_index('collection_samples_by_sample', 'collection_samples', ['sample_id'], unique=False)
    op.create_index(op.f('ix_collection_samples_user_id'), 'collection_samples', ['user_id'], unique=False)
    op.create_index('samples_by_values', 'samples', ['user_id', 'id'], unique=False, postgresql_include=['bpm', 'duration', 'key', 'kind', 'sound_class', 'duplicate_group_id'], postgresql_where=sa.text('deleted_at IS NULL'))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index('samples_by_values', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index(op.f('ix_collection_samples_user_id'), table_name='collection_samples')
    op.drop_index('collection_samples_by_sample', table_name='collection_samples')
    op.drop_index('collection_samples_by_position', table_name='collection_samples')
    op.drop_table('collection_samples')
    op.drop_index(op.f('ix_collections_user_id'), table_name='collections')
    op.drop_index('collections_by_user', table_name='collections', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_table('collections')
