"""The former name of `runner`: jobs that were queued before an upgrade still name it.

Delete this module one release after 1.0.
"""

from sp404_app.jobs.runner import run

__all__ = ["run"]
