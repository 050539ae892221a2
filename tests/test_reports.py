"""What a test printed passes between the processes of the test run, whatever it was."""

import execnet

from tests.conftest import encodable


def test_a_report_with_a_lone_surrogate_can_be_sent() -> None:
    report = {"sections": [("Captured stdout", "name=\ud800")], "user_properties": [], "n": 1}

    sent = execnet.dumps(encodable(report))

    assert execnet.loads(sent)["sections"] == [("Captured stdout", "name=\\ud800")]
