"""The table of stored objects that are to be deleted."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt

from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Moment


class ObjectDeletion(SQLModel, table=True):
    """An object of the store that is deleted at `due_at`, unless a row of another table names it.

    It is written before a file is stored whose row does not exist yet, and with the deletion of a
    row that names a file. So no crash leaves a file that nothing names.
    """

    __tablename__ = "object_deletions"

    key: str = Field(primary_key=True, max_length=1024)
    due_at: dt.datetime = Moment(nullable=False, index=True)
    created_at: dt.datetime = Created()
