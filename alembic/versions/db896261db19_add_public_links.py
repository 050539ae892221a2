"""add public links."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision: str = 'db896261db19'
down_revision: str | None = '3f3689887353'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_table('shares',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('token_encrypted', sa.LargeBinary(), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=True),
    sa.Column('collection_id', sa.Uuid(), nullable=True),
    sa.Column('project_id', sa.Uuid(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('password_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('allow_download', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('allow_indexing', sa.Boolean(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('taken_down_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("allow_download in ('none', 'original', 'sp404')", name='shares_download_known'),
    sa.CheckConstraint('num_nonnulls(sample_id, collection_id, project_id) = 1', name='shares_one_target'),
    sa.ForeignKeyConstraint(['collection_id', 'user_id'], ['collections.id', 'collections.user_id'], name='shares_collection_of_owner', ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], name='shares_project_of_owner', ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['sample_id', 'user_id'], ['samples.id', 'samples.user_id'], name='shares_sample_of_owner', ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id', 'user_id', name='shares_owner_key'),
    sa.UniqueConstraint('token_hash')
    )
    op.create_index(op.f('ix_shares_user_id'), 'shares', ['user_id'], unique=False)
    op.create_index('shares_by_collection', 'shares', ['collection_id'], unique=False, postgresql_where=sa.text('collection_id IS NOT NULL'))
    op.create_index('shares_by_project', 'shares', ['project_id'], unique=False, postgresql_where=sa.text('project_id IS NOT NULL'))
    op.create_index('shares_by_sample', 'shares', ['sample_id'], unique=False, postgresql_where=sa.text('sample_id IS NOT NULL'))
    op.create_table('share_days',
    sa.Column('share_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('plays', sa.BigInteger(), nullable=False),
    sa.Column('downloads', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['share_id', 'user_id'], ['shares.id', 'shares.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('share_id', 'day')
    )
    op.create_index(op.f('ix_share_days_user_id'), 'share_days', ['user_id'], unique=False)
    op.create_table('share_reports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('share_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint("outcome in ('', 'taken_down', 'dismissed')", name='share_reports_outcome_known'),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_share_reports_share_id'), 'share_reports', ['share_id'], unique=False)
    op.create_index('share_reports_open', 'share_reports', ['id'], unique=False, postgresql_where=sa.text('closed_at IS NULL'))
    op.add_column('samples', sa.Column('shared_by', sqlmodel.sql.sqltypes.AutoString(length=200), server_default='', nullable=False))


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_column('samples', 'shared_by')
    op.drop_index('share_reports_open', table_name='share_reports', postgresql_where=sa.text('closed_at IS NULL'))
    op.drop_index(op.f('ix_share_reports_share_id'), table_name='share_reports')
    op.drop_table('share_reports')
    op.drop_index(op.f('ix_share_days_user_id'), table_name='share_days')
    op.drop_table('share_days')
    op.drop_index('shares_by_sample', table_name='shares', postgresql_where=sa.text('sample_id IS NOT NULL'))
    op.drop_index('shares_by_project', table_name='shares', postgresql_where=sa.text('project_id IS NOT NULL'))
    op.drop_index('shares_by_collection', table_name='shares', postgresql_where=sa.text('collection_id IS NOT NULL'))
    op.drop_index(op.f('ix_shares_user_id'), table_name='shares')
    op.drop_table('shares')
