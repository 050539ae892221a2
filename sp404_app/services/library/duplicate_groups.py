"""Which sounds of a person belong together as copies: groups that join, part and dissolve.

A group is all that is linked, however far apart its ends: a copy of a copy is one, too. What lies
in the trash keeps its group, for it may come back; whoever shows copies leaves it out.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import or_
from sqlmodel import Session, col, func, select, text, update

from sp404_app.models import Sample
from sp404_app.models.columns import uuid7

Group = uuid.UUID | None
Groups = Mapping[uuid.UUID, Group]


def take_turns(session: Session, user_id: uuid.UUID) -> None:
    """Let one transaction at a time look for copies in a person's library, until its commit.

    Two workers that finish two copies at once would else see neither's print. Call it before any
    row is locked.
    """
    turn = text("select pg_advisory_xact_lock(hashtextextended(:whose, 0))")
    session.execute(turn, {"whose": f"copies of {user_id}"})


def join(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, copies: Sequence[uuid.UUID]
) -> set[uuid.UUID]:
    """Put a sound together with its copies, and out of the group it was in, if that is another.

    Return the sounds whose group is not what it was, or has gained or lost somebody.
    """
    before = _locked(session, user_id, [sample_id, *copies])
    after = regrouped(before, sample_id, copies)
    changed = {one for one, group in after.items() if group != before[one]}
    for group in {after[one] for one in changed}:
        moved = [one for one in changed if after[one] == group]
        session.exec(
            update(Sample).where(col(Sample.id).in_(moved)).values(duplicate_group_id=group)
        )
    touched = {groups[one] for one in changed for groups in (before, after)} - {None}
    return {one for one in after if {before[one], after[one]} & touched}


def regrouped(
    before: Groups, sample_id: uuid.UUID, copies: Collection[uuid.UUID]
) -> dict[uuid.UUID, Group]:
    """Return the groups after a sound was heard: `before` holds all members of those concerned."""
    after = dict(before)
    if sample_id not in before:
        return after  # deleted meanwhile
    old, copies = before[sample_id], [one for one in copies if one in before]
    joined = {group for one in copies if (group := before[one])}
    after[sample_id] = None
    if copies:
        group = old if old in joined else min(joined, default=uuid7())
        for one in before:
            if one == sample_id or one in copies or before[one] in joined:
                after[one] = group
    if old not in joined:
        left = [one for one, group in after.items() if group and group == old]
        after |= dict.fromkeys(left if len(left) == 1 else [], None)
    return after


def settle(session: Session, groups: Collection[Group]) -> None:
    """Leave nobody alone in a group of which the others were deleted.

    A sound that somebody else is changing is passed over: until it is heard again it is alone in
    its group, which shows nowhere.
    """
    known = [group for group in groups if group]
    if not known:
        return
    alone = (
        select(Sample.duplicate_group_id)
        .where(col(Sample.duplicate_group_id).in_(known))
        .group_by(col(Sample.duplicate_group_id))
        .having(func.count() == 1)
    )
    free = select(Sample.id).where(col(Sample.duplicate_group_id).in_(alone))
    free = free.with_for_update(skip_locked=True, key_share=True)
    session.exec(update(Sample).where(col(Sample.id).in_(free)).values(duplicate_group_id=None))


def _locked(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Group]:
    """Hold some sounds and all members of their groups, in one order, and return their groups."""
    mine = col(Sample.user_id) == user_id
    # Two questions, each by an index: as one, it would look at the whole library.
    known = select(Sample.duplicate_group_id).where(mine, col(Sample.id).in_(ids))
    groups = {group for group in session.exec(known) if group}
    concerned = or_(col(Sample.id).in_(ids), col(Sample.duplicate_group_id).in_(groups))
    rows = (
        select(Sample.id, Sample.duplicate_group_id).where(mine, concerned).order_by(col(Sample.id))
    )
    return dict(session.exec(rows.with_for_update(key_share=True)).all())
