"""PostgreSQL plans a search by how common its words are, so they are literals in the statement."""

import uuid

import pytest

from sp404_app.services.library import sample_list
from sp404_app.services.library.search import SampleQuery


def test_the_words_are_part_of_the_statement_and_the_owner_is_not() -> None:
    statement = sample_list._compile_statement(SampleQuery(q="kick", bpm_min=90.0), "", 40)
    assert "'(kick:* | " in statement.sql
    assert 90.0 in statement.values
    assert "kick" not in str(statement.values)
    owner = uuid.uuid4()
    assert statement.values_for(owner).count(owner) == len(statement.user_id_positions) > 0


@pytest.mark.parametrize("typed", ["it's", "a\\'b", "%s", ":name", "x'; drop table samples; --"])
def test_only_letters_and_digits_of_the_query_reach_the_statement(typed: str) -> None:
    sql = sample_list._compile_statement(SampleQuery(q=typed), "", 40).sql
    written = sql.split("'")[1::2]
    assert written
    for text in written:
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ():*|&!")
