import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.http.api import ApiError
from signaling.sessions_api.paging import decode, encode


@given(st.floats(0, 4e9), st.text(max_size=30))
def test_a_cursor_names_a_row(created_at, row_id):
    assert decode(encode(created_at, row_id)) == (created_at, row_id)


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "é", "====", "bnVsbA"])
def test_other_texts_are_refused(cursor):
    with pytest.raises(ApiError):
        decode(cursor)
