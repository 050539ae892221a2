"""Database tables. Importing this package registers all of them with Alembic."""

from sp404_app.models.account import (
    OneTimeToken,
    Purpose,
    RefreshToken,
    SignIn,
    Theme,
    UnsentMail,
    User,
    UserPreferences,
)
from sp404_app.models.billing import (
    BillingCustomer,
    Invoice,
    MailLog,
    ReconcileReport,
    StripeEvent,
    StripeObject,
    Subscription,
    TrialClaim,
    UsageEvent,
)
from sp404_app.models.bulk_edit import BulkEdit, BulkEditItem
from sp404_app.models.card import (
    CardImport,
    CardImportFile,
    PadSource,
    ProjectCard,
    ProjectExport,
    ProjectFile,
    ProjectSource,
)
from sp404_app.models.collection import Collection, CollectionSample
from sp404_app.models.credentials import PersonalToken, RecoveryCode, TotpFactor
from sp404_app.models.job import AuditEntry, JobKind, JobStatus, ProcessingJob, UsagePeriod
from sp404_app.models.object_deletion import ObjectDeletion
from sp404_app.models.project import PadRender, Project, ProjectPad, ProjectStep
from sp404_app.models.sample import (
    Analysis,
    Kind,
    Sample,
    SampleStatus,
    Source,
    Tag,
    Waveform,
)
from sp404_app.models.share import Share, ShareDay, ShareDownload, ShareReport
from sp404_app.models.similarity import SamplePrint, SampleVector

__all__ = [
    "Analysis",
    "AuditEntry",
    "BillingCustomer",
    "BulkEdit",
    "BulkEditItem",
    "CardImport",
    "CardImportFile",
    "Collection",
    "CollectionSample",
    "Invoice",
    "JobKind",
    "JobStatus",
    "Kind",
    "MailLog",
    "ObjectDeletion",
    "OneTimeToken",
    "PadRender",
    "PadSource",
    "PersonalToken",
    "ProcessingJob",
    "Project",
    "ProjectCard",
    "ProjectExport",
    "ProjectFile",
    "ProjectPad",
    "ProjectSource",
    "ProjectStep",
    "Purpose",
    "ReconcileReport",
    "RecoveryCode",
    "RefreshToken",
    "Sample",
    "SamplePrint",
    "SampleStatus",
    "SampleVector",
    "Share",
    "ShareDay",
    "ShareDownload",
    "ShareReport",
    "SignIn",
    "Source",
    "StripeEvent",
    "StripeObject",
    "Subscription",
    "Tag",
    "Theme",
    "TotpFactor",
    "TrialClaim",
    "UnsentMail",
    "UsageEvent",
    "UsagePeriod",
    "User",
    "UserPreferences",
    "Waveform",
]
