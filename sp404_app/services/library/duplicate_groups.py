"""Groups of duplicate samples: samples of one library that contain the same recording.

Groups are connected components: a duplicate of a duplicate belongs to the same group. Samples in
the trash keep their group, as they may be restored; queries that show duplicates exclude them.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import or_
from sqlmodel import Session, col, func, select, text, update

from sp404_app.models import Sample
from sp404_app.models.columns import uuid7

Group = uuid.UUID | None
Groups = Mapping[uuid.UUID, Group]


def lock_duplicate_search(session: Session, user_id: uuid.UUID) -> None:
    """Serialise duplicate searches of one user until the transaction ends (advisory lock).

    Otherwise two workers that finish two duplicates at the same time would not see each other's
    uncommitted fingerprint. Call it before any row is locked.
    """
    lock = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
    session.execute(lock, {"name": f"copies of {user_id}"})


def join_duplicate_group(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, copies: Sequence[uuid.UUID]
) -> set[uuid.UUID]:
    """Store which samples are duplicates of a sample, and move it to their group, or to none.

    Returns the samples that changed group, and the samples whose group gained or lost a member.
    """
    before = _lock_groups(session, user_id, [sample_id, *copies])
    after = regroup_duplicates(before, sample_id, copies)
    changed = {member for member, group in after.items() if group != before[member]}
    for group in {after[member] for member in changed}:
        moved = [member for member in changed if after[member] == group]
        session.exec(
            update(Sample).where(col(Sample.id).in_(moved)).values(duplicate_group_id=group)
        )
    touched = {groups[member] for member in changed for groups in (before, after)} - {None}
    return {member for member in after if {before[member], after[member]} & touched}


def regroup_duplicates(
    before: Groups, sample_id: uuid.UUID, copies: Collection[uuid.UUID]
) -> dict[uuid.UUID, Group]:
    """Return the group of each sample once `copies` are known to be duplicates of `sample_id`.

    `before` holds all members of all groups concerned.
    """
    after = dict(before)
    if sample_id not in before:
        return after  # the sample was deleted
    old, copies = before[sample_id], [copy for copy in copies if copy in before]
    joined = {group for copy in copies if (group := before[copy])}
    after[sample_id] = None
    if copies:
        group = old if old in joined else min(joined, default=uuid7())
        for member in before:
            if member == sample_id or member in copies or before[member] in joined:
                after[member] = group
    if old not in joined:
        remaining = [member for member, group in after.items() if group and group == old]
        after |= dict.fromkeys(remaining if len(remaining) == 1 else [], None)
    return after


def dissolve_single_groups(session: Session, groups: Collection[Group]) -> None:
    """Dissolve groups that have only one member left after a deletion.

    Rows that another transaction has locked are skipped: a group of one is not visible anywhere,
    and the next analysis of the sample corrects it.
    """
    known = [group for group in groups if group]
    if not known:
        return
    single = (
        select(Sample.duplicate_group_id)
        .where(col(Sample.duplicate_group_id).in_(known))
        .group_by(col(Sample.duplicate_group_id))
        .having(func.count() == 1)
    )
    unlocked = select(Sample.id).where(col(Sample.duplicate_group_id).in_(single))
    unlocked = unlocked.with_for_update(skip_locked=True, key_share=True)
    session.exec(update(Sample).where(col(Sample.id).in_(unlocked)).values(duplicate_group_id=None))


def _lock_groups(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Group]:
    """Lock samples and all members of their groups, ordered by id; return the group of each."""
    owned = col(Sample.user_id) == user_id
    # Two queries that each use an index: combined in one, PostgreSQL would scan the library.
    known = select(Sample.duplicate_group_id).where(owned, col(Sample.id).in_(ids))
    groups = {group for group in session.exec(known) if group}
    concerned = or_(col(Sample.id).in_(ids), col(Sample.duplicate_group_id).in_(groups))
    rows = (
        select(Sample.id, Sample.duplicate_group_id)
        .where(owned, concerned)
        .order_by(col(Sample.id))
    )
    return dict(session.exec(rows.with_for_update(key_share=True)).all())
