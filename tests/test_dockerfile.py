"""The Dockerfile keeps the rules of hadolint; every rule can fail."""

import pytest

from tests.dockerfile import faults
from tests.product import ROOT

GOOD = """\
FROM python:3.11-slim AS first
ENV PIP_NO_CACHE_DIR=1
RUN pip install -r requirements.txt -c constraints.txt
FROM first
WORKDIR /app
USER 10404:10404
CMD ["web"]
"""


def test_the_dockerfile_keeps_the_rules() -> None:
    assert faults((ROOT / "deploy" / "Dockerfile").read_text()) == []


def test_a_dockerfile_without_faults_has_none() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("former", "new", "rule"),
    [
        ("python:3.11-slim", "python", "DL3006"),
        ("python:3.11-slim", "python:latest", "DL3007"),
        ("FROM first", "FROM first AS first", "DL3024"),
        ("ENV PIP_NO_CACHE_DIR=1\n", "", "DL3042"),
        (" -c constraints.txt", "; pip install reflex", "DL3013"),
        ("RUN pip", "RUN sudo pip", "DL3004"),
        ("RUN pip", "RUN cd /src && pip", "DL3003"),
        ("RUN pip", "RUN apt install sox && pip", "DL3027"),
        ("RUN pip", "RUN apt-get install -y --no-install-recommends sox && pip", "DL3008"),
        ("RUN pip", "RUN apt-get update && pip", "DL3009"),
        ("RUN pip", "RUN cat a | sort && pip", "DL4006"),
        ("WORKDIR /app", "WORKDIR app", "DL3000"),
        ("USER 10404:10404", "USER root", "DL3002"),
        ("USER 10404:10404", "USER crate404", "DL3066"),
        ('CMD ["web"]', "CMD web", "DL3025"),
        ('CMD ["web"]', 'CMD ["web"]\nCMD ["worker"]', "DL4003"),
        ('CMD ["web"]', 'ENTRYPOINT python -m "web"', "DL3025"),
        ('CMD ["web"]', "HEALTHCHECK CMD curl localhost", "JSON"),
        ("WORKDIR /app", "ADD . /app", "DL3020"),
        ("WORKDIR /app", "MAINTAINER somebody", "DL4000"),
        ("WORKDIR /app", "EXPOSE 80000", "DL3011"),
        ("WORKDIR /app", "COPY --from=other /a /a", "DL3022"),
    ],
)
def test_each_rule_finds_its_fault(former: str, new: str, rule: str) -> None:
    assert former in GOOD
    (found,) = faults(GOOD.replace(former, new))
    assert rule in found
