"""The API conforms to its OpenAPI description, for valid and invalid requests.

Bounded here; `make fuzz` sends many more.
"""

import os

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
from sp404_app.settings import Settings
from sp404_app.settings import settings as ours
from tests.accounts import bearer, sign_up_user

EXAMPLES = int(os.environ.get("SP404_FUZZ_ROUNDS", "4"))
# Requests that the description allows may be refused: a common password, an impossible tempo, an
# unknown key. Each refusal is a documented response.
UNASKED = [positive_data_acceptance]
# Paths that also match `/api/samples/{sample_id}`, which answers wrong methods of them.
WORDS = frozenset({"/api/samples/tags", "/api/samples/bulk", "/api/samples/similar"})
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


@pytest.mark.timeout(60 + EXAMPLES * 20)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 10,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_conforms_to_its_openapi_description(
    case: schemathesis.Case, services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "100000")
    ours.cache_clear()
    answer = case.call_and_validate(
        app=wrap_in_middleware(api),
        base_url=services.origin,
        headers=bearer(sign_up_user().id),
        excluded_checks=[
            *UNASKED,
            *([negative_data_rejection] if harmless(case) else []),
            *([unsupported_method, allow_header_conformance] if case.path in WORDS else []),
            *([not_a_server_error] if case.path.startswith(PARTS) else []),
        ],
    )
    assert answer.status_code < 500 or answer.status_code == 503
