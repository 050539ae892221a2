"""Create the first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = 'ffa23745fd6b'
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Go to the newer schema."""
    op.execute("create extension if not exists vector")
    op.create_table('audit_log',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=True),
    sa.Column('action', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ip', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('request_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('audit_log_by_user', 'audit_log', ['user_id', 'id'], unique=False)
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('email', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('password_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('first_name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('last_name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('avatar_url', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('email_verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_demo', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('length(email) between 3 and 254', name='users_email_length'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('users_email_key', 'users', [sa.literal_column('lower(email)')], unique=True)
    op.create_table('one_time_tokens',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('purpose', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('new_email', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('hash')
    )
    op.create_index(op.f('ix_one_time_tokens_user_id'), 'one_time_tokens', ['user_id'], unique=False)
    op.create_table('samples',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('filename', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('folder', sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=False),
    sa.Column('storage_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('preview_key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('digest', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('format', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('sample_rate', sa.Integer(), nullable=True),
    sa.Column('channels', sa.Integer(), nullable=True),
    sa.Column('duration', sa.Float(), nullable=True),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('error', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('thumbnail', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('loudness_lufs', sa.Float(), nullable=True),
    sa.Column('peak_dbfs', sa.Float(), nullable=True),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('kind_source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('bpm', sa.Float(), nullable=True),
    sa.Column('bpm_source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('bpm_confidence', sa.Float(), nullable=True),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('key_source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('key_confidence', sa.Float(), nullable=True),
    sa.Column('favourite', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('rating', sa.Integer(), server_default='0', nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=4000), nullable=False),
    sa.Column('tags', sa.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('words', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('search', postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', words)", persisted=True), nullable=True),
    sa.Column('is_demo', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind is null or kind in ('loop', 'one_shot')", name='samples_kind_known'),
    sa.CheckConstraint("name <> ''", name='samples_name_not_empty'),
    sa.CheckConstraint('bpm is null or bpm between 20 and 999', name='samples_bpm_range'),
    sa.CheckConstraint('duration is null or duration >= 0', name='samples_duration_not_negative'),
    sa.CheckConstraint('rating between 0 and 5', name='samples_rating_range'),
    sa.CheckConstraint('size >= 0', name='samples_size_not_negative'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('storage_key')
    )
    op.create_index(op.f('ix_samples_user_id'), 'samples', ['user_id'], unique=False)
    op.create_index('samples_by_bpm', 'samples', ['user_id', 'bpm', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('samples_by_created', 'samples', ['user_id', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('samples_by_duration', 'samples', ['user_id', 'duration', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('samples_by_key', 'samples', ['user_id', 'key', 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('samples_by_name', 'samples', ['user_id', sa.literal_column('lower(name)'), 'id'], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('samples_digest_key', 'samples', ['user_id', 'digest'], unique=True, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('samples_search', 'samples', ['search'], unique=False, postgresql_using='gin')
    op.create_index('samples_tags', 'samples', ['tags'], unique=False, postgresql_using='gin')
    op.create_table('sign_ins',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('cookie_hash', sa.LargeBinary(), nullable=True),
    sa.Column('user_agent', sqlmodel.sql.sqltypes.AutoString(length=400), nullable=False),
    sa.Column('ip', sqlmodel.sql.sqltypes.AutoString(length=45), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('cookie_hash')
    )
    op.create_index(op.f('ix_sign_ins_user_id'), 'sign_ins', ['user_id'], unique=False)
    op.create_table('tags',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("name <> ''", name='tags_name_not_empty'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_tags_user_id'), 'tags', ['user_id'], unique=False)
    op.create_index('tags_name_key', 'tags', ['user_id', sa.literal_column('lower(name)')], unique=True)
    op.create_table('usage_periods',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('period_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('period_end', sa.DateTime(timezone=True), nullable=False),
    sa.Column('analyses', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('analyses >= 0', name='usage_periods_not_negative'),
    sa.CheckConstraint('period_end > period_start', name='usage_periods_forward'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('user_id', 'period_start')
    )
    op.create_index(op.f('ix_usage_periods_user_id'), 'usage_periods', ['user_id'], unique=False)
    op.create_table('user_preferences',
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('theme', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('autoplay', sa.Boolean(), nullable=False),
    sa.Column('level_previews', sa.Boolean(), nullable=False),
    sa.Column('folders_become_tags', sa.Boolean(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id')
    )
    op.create_table('analyses',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=False),
    sa.Column('engine_version', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('error', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('kind_confidence', sa.Float(), nullable=True),
    sa.Column('bpm', sa.Float(), nullable=True),
    sa.Column('bpm_confidence', sa.Float(), nullable=True),
    sa.Column('bpm_candidates', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('key_confidence', sa.Float(), nullable=True),
    sa.Column('key_candidates', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('beats', sa.ARRAY(sa.REAL()), nullable=False),
    sa.Column('onsets', sa.ARRAY(sa.REAL()), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['sample_id'], ['samples.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('sample_id', 'engine_version')
    )
    op.create_index(op.f('ix_analyses_sample_id'), 'analyses', ['sample_id'], unique=False)
    op.create_index(op.f('ix_analyses_user_id'), 'analyses', ['user_id'], unique=False)
    op.create_table('processing_jobs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=True),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('queue', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('progress', sa.Float(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('progress between 0 and 1', name='processing_jobs_progress_range'),
    sa.ForeignKeyConstraint(['sample_id'], ['samples.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_processing_jobs_sample_id'), 'processing_jobs', ['sample_id'], unique=False)
    op.create_index(op.f('ix_processing_jobs_user_id'), 'processing_jobs', ['user_id'], unique=False)
    op.create_index('processing_jobs_active', 'processing_jobs', ['status', 'heartbeat_at'], unique=False, postgresql_where=sa.text("status in ('queued', 'running')"))
    op.create_index('processing_jobs_by_user', 'processing_jobs', ['user_id', 'id'], unique=False)
    op.create_index('processing_jobs_one_active', 'processing_jobs', ['sample_id', 'kind'], unique=True, postgresql_where=sa.text("status in ('queued', 'running')"))
    op.create_table('refresh_tokens',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('sign_in_id', sa.Uuid(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('parent_id', sa.Uuid(), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['sign_in_id'], ['sign_ins.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('hash')
    )
    op.create_index(op.f('ix_refresh_tokens_sign_in_id'), 'refresh_tokens', ['sign_in_id'], unique=False)
    op.create_index(op.f('ix_refresh_tokens_user_id'), 'refresh_tokens', ['user_id'], unique=False)
    op.create_table('waveforms',
    sa.Column('sample_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('peaks', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['sample_id'], ['samples.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('sample_id')
    )
    op.create_index(op.f('ix_waveforms_user_id'), 'waveforms', ['user_id'], unique=False)


def downgrade() -> None:
    """Go back to the older schema."""
    op.drop_index(op.f('ix_waveforms_user_id'), table_name='waveforms')
    op.drop_table('waveforms')
    op.drop_index(op.f('ix_refresh_tokens_user_id'), table_name='refresh_tokens')
    op.drop_index(op.f('ix_refresh_tokens_sign_in_id'), table_name='refresh_tokens')
    op.drop_table('refresh_tokens')
    op.drop_index('processing_jobs_one_active', table_name='processing_jobs', postgresql_where=sa.text("status in ('queued', 'running')"))
    op.drop_index('processing_jobs_by_user', table_name='processing_jobs')
    op.drop_index('processing_jobs_active', table_name='processing_jobs', postgresql_where=sa.text("status in ('queued', 'running')"))
    op.drop_index(op.f('ix_processing_jobs_user_id'), table_name='processing_jobs')
    op.drop_index(op.f('ix_processing_jobs_sample_id'), table_name='processing_jobs')
    op.drop_table('processing_jobs')
    op.drop_index(op.f('ix_analyses_user_id'), table_name='analyses')
    op.drop_index(op.f('ix_analyses_sample_id'), table_name='analyses')
    op.drop_table('analyses')
    op.drop_table('user_preferences')
    op.drop_index(op.f('ix_usage_periods_user_id'), table_name='usage_periods')
    op.drop_table('usage_periods')
    op.drop_index('tags_name_key', table_name='tags')
    op.drop_index(op.f('ix_tags_user_id'), table_name='tags')
    op.drop_table('tags')
    op.drop_index(op.f('ix_sign_ins_user_id'), table_name='sign_ins')
    op.drop_table('sign_ins')
    op.drop_index('samples_tags', table_name='samples', postgresql_using='gin')
    op.drop_index('samples_search', table_name='samples', postgresql_using='gin')
    op.drop_index('samples_digest_key', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('samples_by_name', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('samples_by_key', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('samples_by_duration', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('samples_by_created', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('samples_by_bpm', table_name='samples', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index(op.f('ix_samples_user_id'), table_name='samples')
    op.drop_table('samples')
    op.drop_index(op.f('ix_one_time_tokens_user_id'), table_name='one_time_tokens')
    op.drop_table('one_time_tokens')
    op.drop_index('users_email_key', table_name='users')
    op.drop_table('users')
    op.drop_index('audit_log_by_user', table_name='audit_log')
    op.drop_table('audit_log')
