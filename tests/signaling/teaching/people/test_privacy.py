"""The rewriting of single events; test_privacy_calls erases people from whole sessions."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.teaching.people.privacy import mentions, redacted


def erased(event, person="sam"):
    return msgspec.json.decode(redacted(event, person, "erased-1"))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        # Their own words and name.
        ({"by": "sam", "text": "secret"}, {"by": "erased-1", "text": ""}),
        (
            {"by": "sam", "person": "sam", "name": "Sam"},
            {"by": "erased-1", "person": "erased-1", "name": "erased"},
        ),
        ({"by": "sam", "ballot": {"text": "x"}}, {"by": "erased-1", "ballot": {"text": ""}}),
        ({"file": {"by": "sam", "name": "sam.png"}}, {"file": {"by": "erased-1", "name": "erased"}}),
        (
            {"owner": "sam", "owner_name": "Sam"},
            {"owner": "erased-1", "owner_name": "erased"},
        ),
        # What was noted about them.
        ({"by": "t", "person": "sam", "note": "weak"}, {"by": "t", "person": "erased-1", "note": ""}),
        ({"by": "t", "person": "sam", "grade": "7b"}, {"by": "t", "person": "erased-1", "grade": ""}),
        # Words and names of others, also in what they did or that concerns them.
        ({"by": "sam", "person": "eve", "name": "Eve"}, {"by": "erased-1", "person": "eve", "name": "Eve"}),
        ({"by": "sam", "person": "eve", "grade": "7b"}, {"by": "erased-1", "person": "eve", "grade": "7b"}),
        ({"by": "sam", "author": "eve", "text": "hers"}, {"by": "erased-1", "author": "eve", "text": "hers"}),
        ({"by": "eve", "target": "sam", "text": "hers"}, {"by": "eve", "target": "erased-1", "text": "hers"}),
        # Ids as keys and in lists.
        ({"places": {"sam": "r1", "eve": "r2"}}, {"places": {"erased-1": "r1", "eve": "r2"}}),
        ({"people": ["sam", "samuel"]}, {"people": ["erased-1", "samuel"]}),
    ],
)
def test_what_is_theirs_goes_and_what_is_of_others_stays(event, expected):
    assert erased(event) == expected


JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["sam", "eve", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["by", "person", "text", "name", "sam", "x"]), inner, max_size=4)
    ),
)


@given(JSON)
def test_no_event_of_any_shape_names_the_person_afterwards(event):
    assert not mentions(erased(event), "sam")


@given(JSON)
def test_an_event_without_the_person_is_untouched(event):
    if not mentions(event, "sam"):
        assert erased(event) == event
