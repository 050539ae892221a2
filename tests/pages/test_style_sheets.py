"""The style sheets of the pages, which stay loaded when a person goes on to another page."""

import re
from collections import defaultdict

from tests.product import ROOT

CLASS_ALONE = re.compile(r"\.[\w-]+")


def test_no_class_is_styled_by_two_sheets() -> None:
    sheets: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "assets").glob("*.css"):
        text = re.sub(r"/\*.*?\*/|@media[^{]*\{", "", path.read_text(), flags=re.DOTALL)
        for selectors in re.findall(r"([^{}]+)\{", text):
            for each in map(str.strip, selectors.split(",")):
                if CLASS_ALONE.fullmatch(each):
                    sheets[each].add(path.name)
    assert len(sheets) > 300
    assert {name: found for name, found in sheets.items() if len(found) > 1} == {}
