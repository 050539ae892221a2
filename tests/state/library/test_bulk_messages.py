"""Notices after bulk analyses: how many were queued, and why others were not."""

import pytest

from sp404_app.state.library.bulk_messages import analysis_message

QUOTA, UNPAID, GONE = "analysis_quota_exceeded", "subscription_restricted", "not_found"


@pytest.mark.parametrize(
    ("results", "message", "tone"),
    [
        (["ok"], "1 sound queued for analysis.", "ok"),
        (["ok", GONE], "1 sound queued for analysis.", "ok"),
        ([GONE, GONE], "These sounds were deleted.", "bad"),
        ([QUOTA, QUOTA], "Monthly limit reached.", "bad"),
        ([UNPAID], "Payment overdue. Pay on the billing page.", "bad"),
        (
            ["ok", "ok", QUOTA],
            "2 sounds queued for analysis. 1 sound not analysed: monthly limit reached.",
            "bad",
        ),
    ],
)
def test_the_notice_counts_queued_analyses_and_names_the_refusal(
    results: list[str], message: str, tone: str
) -> None:
    assert analysis_message(results) == (message, tone)
