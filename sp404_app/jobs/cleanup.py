"""What housekeeping deletes every hour, in this order; each task is a transaction of its own."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlmodel import Session

from sp404_app.services.account import data_export
from sp404_app.services.auth import expired_credentials
from sp404_app.services.billing import old_records
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.cards import conversion_cleanup, export_cleanup, import_cleanup
from sp404_app.services.collections import collections
from sp404_app.services.infra import unsent_emails
from sp404_app.services.library import samples
from sp404_app.services.processing import old_jobs
from sp404_app.services.projects import projects, render_cleanup
from sp404_app.services.sharing import picture_cleanup, share_reports, shares

# `tests/jobs/test_cleanup.py` names for every table what deletes its rows.
HOURLY: Final[tuple[Callable[[Session, dt.datetime], int], ...]] = (
    samples.purge_old_trash,
    projects.purge_old_projects,
    collections.purge_old_collections,
    shares.purge_revoked_shares,
    share_reports.purge_closed_reports,
    data_export.purge_old_exports,
    unsent_emails.purge_old_emails,
    render_cleanup.clean_up_renders,
    export_cleanup.clean_up_exports,
    conversion_cleanup.clean_up_conversions,
    import_cleanup.clean_up_imports,
    picture_cleanup.clean_up_pictures,
    bulk_edits.purge_old_edits,
    old_jobs.purge_old_jobs,  # after the tasks that read the results of jobs
    old_records.purge_old_records,
    expired_credentials.purge_expired_credentials,
)
