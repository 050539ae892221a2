"""add projects."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '429971e36a5a'
down_revision: str | None = '7c41d90be2a5'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_unique_constraint('samples_owner_key', 'samples', ['id', 'user_id'])
    op.create_table('projects',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('device', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('tempo', sa.Float(), nullable=False),
    sa.Column('tempo_source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('banks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('history_position', sa.BigInteger(), nullable=False),
    sa.Column('is_demo', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("device in ('mk2', 'sx')", name='projects_device_known'),
    sa.CheckConstraint("name <> ''", name='projects_name_not_empty'),
    sa.CheckConstraint("tempo_source in ('project', 'bank')", name='projects_tempo_source_known'),
    sa.CheckConstraint('tempo between 40 and 200', name='projects_tempo_range'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id', 'user_id', name='projects_owner_key')
    )
    op.create_index(op.f('ix_projects_user_id'), 'projects', ['user_id'], unique=False)
    op.create_index('projects_by_user', 'projects', ['user_id', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_table('pad_renders',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('render_key', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=False),
    sa.Column('instructions', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    sa.Column('error', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('frames', sa.BigInteger(), nullable=True),
    sa.Column('channels', sa.Integer(), nullable=True),
    sa.Column('size_bytes', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('peak_dbfs', sa.Float(), nullable=True),
    sa.Column('frames_held', sa.Integer(), server_default='0', nullable=False),
    sa.Column('peaks', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['sample_id', 'user_id'], ['samples.id', 'samples.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'render_key')
    )
    op.create_index(op.f('ix_pad_renders_user_id'), 'pad_renders', ['user_id'], unique=False)
    op.create_index('pad_renders_by_sample', 'pad_renders', ['sample_id'], unique=False)
    op.create_index('pad_renders_by_use', 'pad_renders', ['last_used_at'], unique=False)
    op.create_table('project_pads',
    sa.Column('project_id', sa.Uuid(), nullable=False),
    sa.Column('bank', sa.SmallInteger(), nullable=False),
    sa.Column('pad', sa.SmallInteger(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=True),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('edit', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('chops', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('frames', sa.BigInteger(), nullable=True),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('bank between 0 and 9', name='project_pads_bank_range'),
    sa.CheckConstraint('pad between 1 and 16', name='project_pads_pad_range'),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['sample_id', 'user_id'], ['samples.id', 'samples.user_id'], name='project_pads_sample_of_owner', ondelete='SET NULL (sample_id)'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('project_id', 'bank', 'pad')
    )
    op.create_index(op.f('ix_project_pads_user_id'), 'project_pads', ['user_id'], unique=False)
    op.create_index('project_pads_by_sample', 'project_pads', ['sample_id'], unique=False)
    op.create_table('project_steps',
    sa.Column('project_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('label', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('project_id', 'position')
    )
    op.create_index(op.f('ix_project_steps_user_id'), 'project_steps', ['user_id'], unique=False)


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index(op.f('ix_project_steps_user_id'), table_name='project_steps')
    op.drop_table('project_steps')
    op.drop_index('project_pads_by_sample', table_name='project_pads')
    op.drop_index(op.f('ix_project_pads_user_id'), table_name='project_pads')
    op.drop_table('project_pads')
    op.drop_index('pad_renders_by_use', table_name='pad_renders')
    op.drop_index('pad_renders_by_sample', table_name='pad_renders')
    op.drop_index(op.f('ix_pad_renders_user_id'), table_name='pad_renders')
    op.drop_table('pad_renders')
    op.drop_index('projects_by_user', table_name='projects', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index(op.f('ix_projects_user_id'), table_name='projects')
    op.drop_table('projects')
    op.drop_constraint('samples_owner_key', 'samples', type_='unique')
