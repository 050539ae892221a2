"""GET /api/samples/{id}/similar."""

import uuid

import pytest
from fastapi.testclient import TestClient

from tests.accounts import bearer, somebody
from tests.ids import NOBODYS


@pytest.mark.parametrize("sample_id", [NOBODYS, "nonsense"])
def test_what_is_not_there_is_not_found(api: TestClient, sample_id: str) -> None:
    answer = api.get(f"/api/samples/{sample_id}/similar", headers=bearer(somebody().id))
    assert answer.status_code in {404, 422}


def test_an_unknown_aspect_is_refused(api: TestClient) -> None:
    answer = api.get(
        f"/api/samples/{uuid.uuid4()}/similar?aspect=colour", headers=bearer(somebody().id)
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_strangers_learn_nothing(api: TestClient) -> None:
    assert api.get(f"/api/samples/{uuid.uuid4()}/similar").status_code == 401
