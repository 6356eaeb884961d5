import pytest

from signaling.daily.rest.pages import PageQuery


@pytest.mark.parametrize(
    ("query", "cursor", "backwards"),
    [
        (PageQuery(), None, False),
        (PageQuery(starting_after="a"), "a", False),
        (PageQuery(ending_before="a"), "a", True),
        (PageQuery(ending_before="OLDEST"), None, True),
        (PageQuery(starting_after="a", ending_before="b"), "a", False),
    ],
)
def test_where_a_page_begins(query, cursor, backwards):
    assert (query.cursor, query.backwards) == (cursor, backwards)
