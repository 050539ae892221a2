"""The address of an export has the filters of the library's search."""

import uuid

from sp404_app.services.library.library_export import ExportFormat
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.library.library_data import export_url

COLLECTION = uuid.UUID("0199a0c0-0000-7000-8000-000000000001")


def test_an_export_without_a_search_is_of_the_whole_library() -> None:
    assert export_url(SampleQuery(), ExportFormat.CSV) == (
        "/api/samples/export?sort=-created&format=csv"
    )


def test_every_filter_is_in_the_address() -> None:
    query = SampleQuery(
        q="a & b", bpm_min=0.0, bpm_max=92.5, tags=("x", "y z"), favourite=True,
        collection=COLLECTION, sort="position",
    )  # fmt: skip
    address = export_url(query, ExportFormat.JSON)
    for part in (
        "q=a+%26+b",
        "bpm_min=0.0",
        "bpm_max=92.5",
        "tag=x&tag=y+z",
        "favourite=true",
        "format=json",
    ):
        assert part in address
    assert f"collection={COLLECTION}" in address
