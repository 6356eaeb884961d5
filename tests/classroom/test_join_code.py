import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom import join_code
from classroom.errors import Code, Malformed


@given(st.integers(0, join_code.COUNT - 1), st.integers(0, join_code.COUNT - 1))
def test_each_number_has_its_own_code(first, second):
    assert (join_code.from_number(first) == join_code.from_number(second)) == (first == second)


@given(st.integers(0, 2**64))
def test_a_code_is_read_back_however_it_is_typed(number):
    code = join_code.from_number(number)
    assert len(code) == 6
    assert join_code.normalise(f" {code[:3].lower()}-{code[3:]} ") == code


def test_no_two_characters_look_alike():
    for group in ["0OQD", "1IL", "2Z", "5S", "8B", "UV"]:
        assert not set(group) & set(join_code.ALPHABET)
    assert len(set(join_code.ALPHABET)) == 19


@pytest.mark.parametrize("typed", ["", "34679", "34679CC", "O4679C", "34 679", "x" * 1_000, "34679é"])
def test_what_is_no_code_is_refused(typed):
    with pytest.raises(Malformed) as refused:
        join_code.normalise(typed)
    assert refused.value.code is Code.BAD_CODE
