"""The API conforms to its OpenAPI description, for valid and invalid requests.

Bounded here; `make fuzz` sends many more.
"""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.services.projects import projects
from sp404_app.settings import Settings
from sp404_app.settings import settings as ours
from tests.accounts import bearer, sign_up_user
from tests.sounds import keep

EXAMPLES = int(os.environ.get("SP404_FUZZ_ROUNDS", "4"))
# Requests that the description allows may be refused: a common password, an impossible tempo, an
# unknown key. Each refusal is a documented response.
UNASKED = [positive_data_acceptance]
# Paths that `/api/samples/{sample_id}` and `…/banks/{bank}` match, too, with other methods.
WORDS = frozenset(
    {
        "/api/samples/tags",
        "/api/samples/bulk",
        "/api/samples/export",
        "/api/samples/map",
        "/api/samples/names",
        "/api/samples/import-csv",
        "/api/samples/similar",
        "/api/collections/count",
        "/api/collections/merge",
        "/api/collections/{collection_id}/samples/move",
        "/api/projects/import",
        "/api/projects/{project_id}/banks/move",
    }
)
# These answer 503 while a service is missing, as in these tests.
PARTS = ("/api/health", "/api/webhooks", "/api/billing")


def harmless(case: schemathesis.Case) -> bool:
    """Return whether a request may succeed although the generator calls it invalid.

    Tests always authenticate. Unknown query parameters are ignored, because mail programs and
    search engines append some.
    """
    known = {parameter.name for parameter in case.operation.query}
    return "Authorization" not in (case.headers or {}) or not known >= set(case.query or {})


load_all_checks()
schema = schemathesis.openapi.from_asgi("/api/openapi.json", api)
schema = schema.exclude(path="/api/events")  # its response never ends


limits = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 10,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(60 + EXAMPLES * 20)
@schema.parametrize()
@limits
def test_every_operation_conforms_to_its_openapi_description(
    case: schemathesis.Case, services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "100000")
    ours.cache_clear()
    ensure_conforms(case, services, sign_up_user().id)


@pytest.mark.timeout(60 + EXAMPLES * 20)
@schema.include(path_regex=r"^/api/projects/{project_id}").parametrize()
@limits
def test_operations_on_an_existing_project_conform_to_their_openapi_description(
    case: schemathesis.Case, services: Settings, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "100000")
    ours.cache_clear()
    user_id = sign_up_user().id
    sample_id = keep(user_id, tmp_path)
    with transaction() as session:
        made = projects.create_project(session, user_id, "Kit", MK2, [sample_id] * 3).project
    case.path_parameters["project_id"] = str(made.id)
    if isinstance(case.body, dict) and "sample_id" in case.body:
        case.body["sample_id"] = str(sample_id)
    if "if-match" in case.headers:
        case.headers["if-match"] = "*"
    # Filled in ids make some invalid requests valid.
    ensure_conforms(case, services, user_id, negative_data_rejection)


def ensure_conforms(
    case: schemathesis.Case,
    services: Settings,
    user_id: uuid.UUID,
    *excluded: Callable[..., object],
) -> None:
    answer = case.call_and_validate(
        app=wrap_in_middleware(api),
        base_url=services.origin,
        headers=bearer(user_id),
        excluded_checks=[
            *UNASKED,
            *excluded,
            *([negative_data_rejection] if harmless(case) else []),
            *([unsupported_method, allow_header_conformance] if case.path in WORDS else []),
            *([not_a_server_error] if case.path.startswith(PARTS) else []),
        ],
    )
    assert answer.status_code < 500 or answer.status_code == 503
