"""Former name of `runner`, which jobs queued before an upgrade still use.

Delete this module one release after 1.0.
"""

from sp404_app.jobs.runner import run

__all__ = ["run"]
