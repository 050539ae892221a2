"""add cards."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '23c6843eb016'
down_revision: str | None = 'f8152aeff668'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.create_table('card_imports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind in ('', 'mk2', 'sx')", name='card_imports_kind_known'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id', 'user_id', name='card_imports_owner_key')
    )
    op.create_index('card_imports_by_age', 'card_imports', ['created_at'], unique=False)
    op.create_index(op.f('ix_card_imports_user_id'), 'card_imports', ['user_id'], unique=False)
    op.create_table('pad_sources',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('device', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('record', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('chops', sa.LargeBinary(), nullable=False),
    sa.Column('audio_header', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("device in ('mk2', 'sx')", name='pad_sources_device_known'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('id', 'user_id', name='pad_sources_owner_key')
    )
    op.create_index(op.f('ix_pad_sources_user_id'), 'pad_sources', ['user_id'], unique=False)
    op.create_table('card_import_files',
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('folded_path', sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('path', sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('storage_key', sqlmodel.sql.sqltypes.AutoString(), server_default=sa.text("''"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('size_bytes >= 0', name='card_import_files_size_range'),
    sa.ForeignKeyConstraint(['import_id', 'user_id'], ['card_imports.id', 'card_imports.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'folded_path')
    )
    op.create_index(op.f('ix_card_import_files_user_id'), 'card_import_files', ['user_id'], unique=False)
    op.create_table('project_cards',
    sa.Column('project_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('files', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('project_id')
    )
    op.create_index(op.f('ix_project_cards_user_id'), 'project_cards', ['user_id'], unique=False)
    op.create_table('project_exports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('project_id', sa.Uuid(), nullable=False),
    sa.Column('device', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('place', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('slot', sa.Integer(), nullable=False),
    sa.Column('content_key', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    sa.Column('size_bytes', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('files', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("device in ('mk2', 'sx', 'import')", name='project_exports_device_known'),
    sa.CheckConstraint("place in ('', 'import', 'export')", name='project_exports_place_known'),
    sa.CheckConstraint('slot between 0 and 16', name='project_exports_slot_range'),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('user_id', 'content_key', name='project_exports_content_key')
    )
    op.create_index(op.f('ix_project_exports_project_id'), 'project_exports', ['project_id'], unique=False)
    op.create_index(op.f('ix_project_exports_user_id'), 'project_exports', ['user_id'], unique=False)
    op.create_index('project_exports_by_use', 'project_exports', ['last_used_at'], unique=False)
    op.create_table('project_files',
    sa.Column('project_id', sa.Uuid(), nullable=False),
    sa.Column('path', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('project_id', 'path')
    )
    op.create_index(op.f('ix_project_files_user_id'), 'project_files', ['user_id'], unique=False)
    op.create_table('project_sources',
    sa.Column('project_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('device', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('config', sa.LargeBinary(), nullable=False),
    sa.Column('folder', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("device in ('mk2', 'sx')", name='project_sources_device_known'),
    sa.ForeignKeyConstraint(['project_id', 'user_id'], ['projects.id', 'projects.user_id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('project_id')
    )
    op.create_index(op.f('ix_project_sources_user_id'), 'project_sources', ['user_id'], unique=False)
    op.add_column('project_pads', sa.Column('source_id', sa.Uuid(), nullable=True))
    op.create_index('project_pads_by_source', 'project_pads', ['source_id'], unique=False)
    op.create_foreign_key('project_pads_source_of_owner', 'project_pads', 'pad_sources', ['source_id', 'user_id'], ['id', 'user_id'], ondelete='SET NULL (source_id)')


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_constraint('project_pads_source_of_owner', 'project_pads', type_='foreignkey')
    op.drop_index('project_pads_by_source', table_name='project_pads')
    op.drop_column('project_pads', 'source_id')
    op.drop_index(op.f('ix_project_sources_user_id'), table_name='project_sources')
    op.drop_table('project_sources')
    op.drop_index(op.f('ix_project_files_user_id'), table_name='project_files')
    op.drop_table('project_files')
    op.drop_index('project_exports_by_use', table_name='project_exports')
    op.drop_index(op.f('ix_project_exports_user_id'), table_name='project_exports')
    op.drop_index(op.f('ix_project_exports_project_id'), table_name='project_exports')
    op.drop_table('project_exports')
    op.drop_index(op.f('ix_project_cards_user_id'), table_name='project_cards')
    op.drop_table('project_cards')
    op.drop_index(op.f('ix_card_import_files_user_id'), table_name='card_import_files')
    op.drop_table('card_import_files')
    op.drop_index(op.f('ix_pad_sources_user_id'), table_name='pad_sources')
    op.drop_table('pad_sources')
    op.drop_index(op.f('ix_card_imports_user_id'), table_name='card_imports')
    op.drop_index('card_imports_by_age', table_name='card_imports')
    op.drop_table('card_imports')
