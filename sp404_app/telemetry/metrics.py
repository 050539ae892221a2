"""All metrics that processes count themselves; `api/routes/metrics.py` adds those of the database.

Values of labels are bounded: patterns of routes, kinds, outcomes. Ids, names and addresses never
become a label. Series whose labels are known are created at zero, so that an alert sees the first
increase.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from sp404_app import logs
from sp404_app.telemetry import processes

if processes.folder():
    # prometheus-client would name files by process id, which gives a file to every job.
    values.ValueClass = values.MultiProcessValue(processes.name)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PAGES = "pages"  # the route label of everything that is not a route of the API
STRIPE_RESOURCES = frozenset(
    {
        "account", "billing_portal", "charges", "checkout", "credit_notes", "customers", "disputes",
        "events", "invoices", "payment_intents", "payment_methods", "prices", "products", "refunds",
        "subscription_schedules", "subscriptions", "test_helpers", "webhook_endpoints",
    }
)  # fmt: skip
JOB_OUTCOMES = ("done", "refused", "timeout", "failed", "no_database")
ROLES = (processes.WEB, processes.WORKER, processes.PICTURES, processes.SCHEDULER)

REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FAST_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
JOB_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0, 3600.0)

REGISTRY = CollectorRegistry()


def _counter(name: str, text: str, labels: Iterable[str] = ()) -> Counter:
    return Counter(name, text, list(labels), registry=REGISTRY)


def _gauge(name: str, text: str, mode: str = "livesum", labels: Iterable[str] = ()) -> Gauge:
    """Make a gauge: `livesum` adds up what runs, `max` keeps the largest of all processes."""
    return Gauge(name, text, list(labels), registry=REGISTRY, multiprocess_mode=mode)  # type: ignore[arg-type]


def _histogram(
    name: str, text: str, buckets: tuple[float, ...], labels: Iterable[str] = ()
) -> Histogram:
    return Histogram(name, text, list(labels), buckets=buckets, registry=REGISTRY)


# Requests, pages and their events
RESPONSES = _counter("sp404_requests", "Answered requests.", ["method", "route", "status"])
LATENCY = _histogram("sp404_request_seconds", "Response time.", REQUEST_BUCKETS_S, ["route"])
OPEN_WEBSOCKETS = _gauge("sp404_websockets", "Open websockets.")
WEBSOCKET_MESSAGES = _counter("sp404_websocket_messages", "Messages from tabs.")
DELAYED_MESSAGES = _counter("sp404_websocket_slowed", "Messages delayed by the rate limit.")
EVENT_SECONDS = _histogram(
    "sp404_event_seconds", "Time of a page's event, without background events.",
    REQUEST_BUCKETS_S, ["state"],
)  # fmt: skip
TOKEN_CHECK_SECONDS = _histogram(
    "sp404_token_check_seconds", "Time to find the user of a request.", FAST_BUCKETS_S, ["kind"]
)
RATE_LIMITED = _counter("sp404_rate_limited", "Requests and attempts refused by a rate limit.")
QUOTA_REFUSALS = _counter("sp404_quota_refusals", "Refusals by the plan's quotas.", ["quota"])

# Database and object store
DATABASE_SECONDS = _histogram(
    "sp404_database_seconds", "Time of a statement.", FAST_BUCKETS_S, ["operation"]
)
CONNECTIONS_IN_USE = _gauge("sp404_pool_connections_in_use", "Database connections in use.")
CONNECTIONS_MAX = _gauge("sp404_pool_connections_max", "Connections that the pools may open.")
STORE_SECONDS = _histogram("sp404_storage_write_seconds", "Time to store a file.", JOB_BUCKETS_S)
STORE_ERRORS = _counter("sp404_storage_write_errors", "Files that could not be stored.")

# Jobs, email, payments
JOB_SECONDS = _histogram("sp404_job_seconds", "Time that a job ran.", JOB_BUCKETS_S, ["kind"])
JOB_WAIT_SECONDS = _histogram(
    "sp404_job_wait_seconds", "Time from a request to the start of its job.",
    JOB_BUCKETS_S, ["queue"],
)  # fmt: skip
JOBS_FINISHED = _counter("sp404_jobs_finished", "Attempts at jobs.", ["kind", "outcome"])
JOBS_KILLED = _counter("sp404_jobs_killed", "Processes of jobs that crashed or were killed.")
MAILS = _counter("sp404_mails", "Attempts to send an email.", ["outcome"])
STRIPE_SECONDS = _histogram(
    "sp404_stripe_seconds", "Response time of Stripe.", REQUEST_BUCKETS_S, ["resource"]
)
STRIPE_REQUESTS = _counter("sp404_stripe_requests", "Requests to Stripe.", ["resource", "outcome"])
WEBHOOKS = _counter("sp404_webhooks", "Events of Stripe, received and handled.", ["outcome"])

# Processes
PROCESSES = _gauge("sp404_processes", "Processes that run.", labels=["role"])
START_TIME = _gauge(
    "sp404_process_start_time_seconds", "When the newest process started.", "max", ["role"]
)
HOUSEKEEPING_AT = _gauge(
    "sp404_housekeeping_timestamp_seconds", "When housekeeping last finished a round.", "max"
)
HOUSEKEEPING_FAILURES = _counter("sp404_housekeeping_failures", "Failed tasks of housekeeping.")
BROWSER_ERRORS = _counter("sp404_browser_errors", "Errors of JavaScript that browsers reported.")
ERRORS = _counter("sp404_errors", "Unexpected errors that were logged.", ["role"])


def _create_series() -> None:
    for outcome in ("sent", "retried", "given_up"):
        MAILS.labels(outcome)
    for outcome in ("received", "repeated", "rejected", "handled", "failed"):
        WEBHOOKS.labels(outcome)
    for quota in ("storage", "analysis"):
        QUOTA_REFUSALS.labels(quota)
    for role in (*ROLES, processes.JOBS):
        ERRORS.labels(role)
    for kind in ("cookie", "access_token", "personal_token"):
        TOKEN_CHECK_SECONDS.labels(kind)
    for operation in ("select", "insert", "update", "delete", "other", "fast_read"):
        DATABASE_SECONDS.labels(operation)
    STRIPE_SECONDS.labels("other")
    for outcome in ("2xx", "4xx", "5xx", "no_answer"):
        STRIPE_REQUESTS.labels("other", outcome)


_create_series()


def create_job_series(kinds: Iterable[str], queues: Iterable[str]) -> None:
    """Create the series of all kinds of jobs at zero; a worker calls it."""
    for kind in kinds:
        JOB_SECONDS.labels(kind)
        for outcome in JOB_OUTCOMES:
            JOBS_FINISHED.labels(kind, outcome)
    for queue in queues:
        JOB_WAIT_SECONDS.labels(queue)


def start_process(role: str) -> None:
    """Say what this process does, and count it as running."""
    processes.set_role(role)
    PROCESSES.labels(role).set(1)
    START_TIME.labels(role).set(time.time())
    logs.report_errors_to(count_error)


def count_response(method: str, route: str, status: int, seconds: float) -> None:
    """Count a response; `route` is a pattern, so that ids do not create new time series."""
    RESPONSES.labels(method if method in METHODS else "other", route, status).inc()
    LATENCY.labels(route).observe(seconds)


def count_stripe_request(resource: str, outcome: str, seconds: float) -> None:
    """Count a request to Stripe by its resource."""
    STRIPE_REQUESTS.labels(resource, outcome).inc()
    STRIPE_SECONDS.labels(resource).observe(seconds)


def stripe_resource(path: str) -> str:
    """Return the resource in a path of Stripe's API, such as `/v1/customers/cus_1`, or "other"."""
    parts = path.split("?", maxsplit=1)[0].rsplit("/v1/", maxsplit=1)[-1].split("/")
    return parts[0] if parts[0] in STRIPE_RESOURCES else "other"


def count_error(_: BaseException, __: Mapping[str, Any]) -> None:
    """Count an unexpected error of this process."""
    role = processes.role()
    ERRORS.labels(role if role in ROLES else processes.JOBS).inc()
