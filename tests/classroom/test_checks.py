import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom import checks
from classroom.errors import Code, LimitReached, Malformed, Refused


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_text_is_refused_or_survives_json(value):
    try:
        kept = checks.text(value, 20, "text")
    except Malformed:
        return
    assert 0 < len(kept) <= 20
    kept.encode()
    assert checks.text(kept, 20, "text") == kept


def test_text_is_composed():
    assert checks.text("e\u0301", 10, "text") == "\u00e9"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", Code.TEXT_EMPTY),
        ("x" * 11, Code.TEXT_TOO_LONG),
        ("x" * 10**6, Code.TEXT_TOO_LONG),
        ("\0", Code.BAD_TEXT),
    ],
)
def test_bad_text_is_refused(value, code):
    with pytest.raises(Malformed) as refused:
        checks.text(value, 10, "text")
    assert refused.value.code is code


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a\u202eb", "a\u2066b"])
def test_a_line_is_one_line_that_reads_as_it_is(value):
    with pytest.raises(Malformed):
        checks.line(value, 10, "name")


def test_right_to_left_marks_stay():
    assert checks.line("\u200fعلم", 10, "name") == "\u200fعلم"


@pytest.mark.parametrize(
    "value", ["a", "user@school.org", "auth0|5f7", "550e8400-e29b-41d4-a716-446655440000", "x" * 128]
)
def test_ids_of_applications_are_taken(value):
    assert checks.identifier(value, "person") == value


@pytest.mark.parametrize("value", ["", "a b", "../x", "a/b", "é", "x" * 129, ".hidden", "a\n"])
def test_ids_that_are_not_safe_are_refused(value):
    with pytest.raises(Malformed):
        checks.identifier(value, "person")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 11])
def test_numbers_out_of_range_are_refused(value):
    with pytest.raises(Malformed):
        checks.number(value, 0, 10, "number")


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "ftp://x", "http://", "//x", "https://a b", "http://[", "x"]
)
def test_only_web_addresses_are_links(value):
    with pytest.raises(Malformed):
        checks.link(value)


def test_a_link_may_be_missing():
    assert checks.link("") == ""
    assert checks.link(" https://example.org/a?b#c ") == "https://example.org/a?b#c"


def test_one_more_than_the_limit_is_refused():
    checks.room_for_one(4, 5, "things")
    with pytest.raises(LimitReached) as refused:
        checks.room_for_one(5, 5, "things")
    assert isinstance(refused.value, Refused)
    assert refused.value.code is Code.TOO_MANY
