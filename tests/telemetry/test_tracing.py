"""Traces, received by a collector on this machine."""

import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from reflex_base import otel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sp404_app import db
from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.jobs.job_log import log_job
from sp404_app.services.infra import events, queue
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.infra.queue import Origin
from sp404_app.services.library import search
from sp404_app.services.library.search import SampleQuery
from sp404_app.settings import Settings, settings
from sp404_app.state.event_traces import trace_events
from sp404_app.telemetry import tracing
from tests.otlp_sink import PATH, OtlpSink

Ended = Callable[[], OtlpSink]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
SECRETS = ("hunter2", "ada@example.org", "my secret song.wav", "sp404_session", "Bearer abc")
EVERYTHING = " ".join(SECRETS)
VALUE = {"value": "hunter2"}
UNUSED = """
import sys
from sp404_app.jobs import picture_worker, worker
from sp404_app.telemetry import tracing
tracing.prepare()
assert tracing.start() is None and not tracing.traceparent() and not tracing.log_fields()
with tracing.span("nothing") as span, tracing.handle_events([""]):
    assert span is None
tracing.stop()
# redis imports opentelemetry.sdk.metrics itself wherever it is installed.
ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.instrumentation")
print([name for name in sys.modules if name.startswith((*ours, "google.protobuf"))])
"""


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "True"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_without_a_collector_the_sdk_is_not_imported(variables: dict[str, str]) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", UNUSED], env=kept | variables, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "[]"


def test_a_span_names_service_release_and_environment(
    sink: OtlpSink, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_SENTRY_ENVIRONMENT", "staging")
    settings.cache_clear()
    tracing.start()
    with tracing.span("work"):
        pass
    tracing.stop()
    (resource,) = sink.resources
    assert sink.paths == [PATH]
    assert resource["service.name"] == "crate404-web"
    assert resource["deployment.environment.name"] == "staging"
    assert resource["service.version"]


def test_the_standard_variables_choose_name_and_sampling(
    sink: OtlpSink, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("OTEL_SERVICE_NAME", "sounds")
    environment.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    tracing.start()
    with tracing.span("not sampled"):
        assert tracing.start_query("SELECT 1") is None
    with tracing.span("sampled", parent=PARENT):
        pass
    tracing.stop()
    assert [(span["name"], span["service"]) for span in sink.spans] == [("sampled", "sounds")]


# Some variables are read when the SDK is imported, which happens once in each process.
STARTED_TWICE = """
from sp404_app import logs
from sp404_app.telemetry import tracing
logs.configure()
for _ in range(2):
    tracing.prepare()
    tracing.start()
tracing.stop()
print("is on:", tracing.is_on())
"""


@pytest.mark.parametrize(
    ("variable", "value", "is_on"),
    [
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1", False),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "many", False),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1", False),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", True),  # the SDK takes its default
        ("OTEL_TRACES_SAMPLER", "nonsense", True),
        ("OTEL_EXPORTER_OTLP_HEADERS", "nonsense", True),
    ],
)
def test_a_process_starts_with_wrong_limits(variable: str, value: str, *, is_on: bool) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", variable: value}
    done = subprocess.run(
        [sys.executable, "-c", STARTED_TWICE],
        env=os.environ | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert (done.returncode, f"is on: {is_on}" in said) == (0, True), said
    assert said.count("traces are off") == (0 if is_on else 1)


@pytest.mark.parametrize(
    "variable", ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"]
)
def test_a_wrong_value_of_a_variable_turns_traces_off_with_one_sentence(
    variable: str, sink: OtlpSink, environment: pytest.MonkeyPatch, own_logs: io.StringIO
) -> None:
    environment.setenv(variable, "-1")
    assert tracing.start() is None
    assert tracing.start() is None
    (line,) = map(json.loads, own_logs.getvalue().splitlines())
    assert line["event"].startswith("traces are off")
    assert "exception" not in line


def fail() -> None:
    raise ValueError(EVERYTHING)


def test_nothing_private_is_sent_whatever_an_instrumentation_collects(spans: Ended) -> None:
    tracer = tracing._tracing.tracer
    assert tracer
    collected = {
        "url.query": EVERYTHING, "url.path": EVERYTHING, "http.request.header.cookie": EVERYTHING,
        "db.query.parameter.0": EVERYTHING, "session.id": EVERYTHING, "http.route": "/api/me",
    }  # fmt: skip
    with (
        suppress(ValueError),
        tracer.start_as_current_span("request", attributes=collected) as span,
    ):
        span.add_event(EVERYTHING, {"message": EVERYTHING})
        fail()
    with suppress(ValueError), tracing.span("work"):
        fail()
    sink = spans()
    assert [secret for secret in SECRETS if secret.encode() in b"".join(sink.bodies)] == []
    (request,), (work,) = sink.named("request"), sink.named("work")
    assert request["http.route"] == "/api/me"
    assert request["events"] == [("exception", {"exception.type": "ValueError"})]
    assert (work["failed"], work["error.type"]) == (True, "ValueError")


def test_a_statement_is_sent_without_its_values(services: Settings, spans: Ended) -> None:
    with tracing.span("work"), db.transaction() as session:
        session.connection().execute(text("select :value"), VALUE)
        with pytest.raises(DBAPIError), session.begin_nested():
            session.connection().execute(text("select cast(:value as int)"), VALUE)
    with db.transaction() as session:
        session.connection().execute(text("select 'outside of a trace'"))
    sink = spans()
    (work,) = sink.named("work")
    queries = [span for span in sink.spans if "cast" in span.get("db.query.text", "")]
    assert [(each["failed"], each["parent"]) for each in queries] == [(True, work["span_id"])]
    assert any(span.get("db.query.text", "").startswith("select %") for span in sink.spans)
    assert b"hunter2" not in b"".join(sink.bodies)
    assert b"outside" not in b"".join(sink.bodies)


def test_a_search_is_sent_without_its_words(services: Settings, spans: Ended) -> None:
    with tracing.span("work"), db.transaction() as session:
        search.search_window(session, uuid.uuid4(), SampleQuery(q="secretword"), 0, 10)
        session.connection().execute(text("select 'it''s a secretword', 'plain' || :value"), VALUE)
    sink = spans()
    statements = [span["db.query.text"] for span in sink.spans if "db.query.text" in span]
    assert any("to_tsquery(" in each for each in statements)
    assert "select ?, ? || %(value)s" in statements
    assert b"secretword" not in b"".join(sink.bodies)


def test_a_command_to_redis_is_sent_without_its_arguments(services: Settings, spans: Ended) -> None:
    with tracing.span("work"):
        events.connection().set("hunter2", "hunter2", ex=1)
    events.connection().get("outside of a trace")
    sink = spans()
    (command,) = sink.named("SET")
    assert command["db.query.text"] == "SET ? ? ? ?"
    assert command["db.system.name"] == "redis"
    assert not sink.named("GET")
    assert b"hunter2" not in b"".join(sink.bodies)


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


def test_a_request_is_named_after_its_route(client: TestClient, spans: Ended) -> None:
    sample = uuid.uuid4()
    client.get(f"/api/samples/{sample}?token=hunter2", headers={"traceparent": PARENT})
    client.get("/s/hunter2")
    client.request("HUNTER2", "/api/samples")
    client.get("/api/health/live")
    sink = spans()
    (request,) = sink.named("GET /api/samples/{sample_id}")
    assert request["http.response.status_code"] == 401
    assert len(request["request_id"]) == 32
    assert request["trace_id"] != TRACE_ID, "a client joined a trace"
    assert sink.named("GET /s/{token}")
    assert not [span for span in sink.spans if "health" in span["name"]]
    sent = b"".join(sink.bodies).lower()
    assert b"hunter2" not in sent
    assert str(sample).encode() not in sent


def test_a_client_cannot_name_the_trace_of_its_request_through_a_trusted_proxy(
    services: Settings, environment: pytest.MonkeyPatch, spans: Ended, own_logs: io.StringIO
) -> None:
    environment.setenv("SP404_TRUSTED_PROXIES", "127.0.0.1")
    settings.cache_clear()
    proxy = TestClient(
        wrap_in_middleware(api), base_url=services.origin, client=("127.0.0.1", 50000)
    )
    proxy.get("/api/me", headers={"traceparent": PARENT})
    (request,) = spans().named("GET /api/me")
    assert (request["trace_id"] != TRACE_ID, request["parent"]) == (True, "")
    lines = [json.loads(line) for line in own_logs.getvalue().splitlines()]
    assert [line["trace_id"] for line in lines if line["event"] == "request"] == [
        request["trace_id"]
    ]


def test_a_browser_cannot_name_the_trace_of_its_events(sink: OtlpSink) -> None:
    provider = tracing.start()
    assert provider
    trace_events(provider)
    with otel.remote_context({"traceparent": PARENT}):
        assert not trace.get_current_span().get_span_context().is_valid
        assert otel.enabled


def test_a_job_and_its_log_line_are_in_the_trace_of_what_enqueued_it(
    spans: Ended, own_logs: io.StringIO
) -> None:
    with tracing.span("request"):
        meta = queue._meta()
    with log_job("free", "analyse", Origin("0123456789", meta[queue.TRACEPARENT])) as ending:
        ending.outcome = "done"
    sink = spans()
    (request,), (job,) = sink.named("request"), sink.named("job analyse")
    assert (job["trace_id"], job["parent"]) == (request["trace_id"], request["span_id"])
    assert (job["job.outcome"], job["request_id"]) == ("done", "0123456789")
    (line,) = map(json.loads, own_logs.getvalue().splitlines())
    assert line["trace_id"] == request["trace_id"]


async def test_what_a_page_does_with_an_event_is_in_the_trace_of_the_change(
    services: Settings, spans: Ended
) -> None:
    user_id = uuid.uuid4()
    handler = {tracing.FUNCTION: "sp404_app.state.library.library.LibraryState.watch"}
    with tracing.span("open page", attributes=handler):
        listening = events.listen(user_id)
        await anext(listening)
        for name in ("job one", "job two"):
            with tracing._tracing.tracer.start_as_current_span(name, tracing.context_of("")):  # type: ignore[union-attr]
                events.publish(user_id, Event(Topic.SAMPLE, "1"))
        assert await anext(listening) == [Event(Topic.SAMPLE, "1")]
        with tracing.span("read rows"):
            pass
        await listening.aclose()
        with tracing.span("later"):
            pass
    sink = spans()
    (page,), (first,), (second,) = map(
        sink.named, ("open page LibraryState.watch", "job one", "job two")
    )
    (handled,) = sink.named("handle events LibraryState.watch")
    assert (handled["trace_id"], handled["parent"]) == (first["trace_id"], first["span_id"])
    assert handled["links"] == [page["trace_id"], second["trace_id"]]
    assert sink.named("read rows")[0]["parent"] == handled["span_id"]
    assert sink.named("later")[0]["parent"] == page["span_id"]


def test_a_forked_job_sends_its_spans_before_it_ends(sink: OtlpSink) -> None:
    tracing.prepare()
    assert run_forked("job") == 0
    assert [span["name"] for span in sink.spans] == ["job"]


def test_a_collector_that_refuses_is_tried_and_logged_once(
    sink: OtlpSink, own_logs: io.StringIO
) -> None:
    sink.status = 400
    tracing.prepare()
    for name in ("first", "second"):
        run_forked(name)
    tracing.start()
    with tracing.span("third"):
        pass
    tracing.stop()
    assert len(sink.bodies) == 1
    assert not own_logs.getvalue(), "it was logged by the first forked process"
    assert tracing._tracing.outage
    tracing._tracing.outage.note(failed=True)
    assert not own_logs.getvalue()
    tracing._tracing.outage.note(failed=False)
    assert "takes traces again" in own_logs.getvalue()


def test_forked_jobs_do_not_each_wait_for_a_collector_that_hangs(
    sink: OtlpSink, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(tracing, "STOP_TIMEOUT_S", 0.5)
    sink.may_answer.clear()
    tracing.prepare()
    run_forked("first")
    run_forked("second")
    assert len(sink.bodies) == 1


def run_forked(name: str) -> int:
    """Make a span in a forked process that ends as those of RQ do; return its status."""
    if (pid := os.fork()) == 0:
        tracing.start()
        with tracing.span(name):
            pass
        tracing.stop()
        os._exit(0)
    return os.waitpid(pid, 0)[1]
