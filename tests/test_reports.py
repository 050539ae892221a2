"""Any output of a test can be sent between the processes of the test run."""

import execnet

from tests.conftest import encodable


def test_a_report_with_a_lone_surrogate_can_be_serialised() -> None:
    report = {"sections": [("Captured stdout", "name=\ud800")], "user_properties": [], "n": 1}

    sent = execnet.dumps(encodable(report))

    assert execnet.loads(sent)["sections"] == [("Captured stdout", "name=\\ud800")]
