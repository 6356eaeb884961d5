"""Counting the values of JSON before it is parsed."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.http.json_bounds import MAX_TEXT_BYTES, TooManyElementsError, check_elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def count(value):
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(VALUES, st.booleans())
def test_no_value_is_missed_however_its_texts_look(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    counted = check_elements(text, 10**6)
    assert count(value) <= counted <= 2 * count(value)
    # what holds exactly as many values as the limit says is not turned away by its quotes either
    assert check_elements(text, counted) == counted
    with pytest.raises(TooManyElementsError):
        check_elements(text, counted - 1)


@given(st.binary())
def test_text_that_is_no_json_is_only_counted(text):
    assert check_elements(text, 10**6) >= 1


BOMBS = {
    "objects": b"{}," * 350_000,
    "lists in lists": b"[" * 1_000_000,
    "empty texts": b'"",' * 300_000,
    "texts that end in a backslash": b'"a\\\\",' * 150_000,
    "a text without an end": b'"' + b'\\"' * 500_000,
    "half a text many times": b'\\"' * 500_000 + b'"',
    "escapes": b'"' + b"\\n" * 500_000 + b'"',
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_megabyte_costs_little_whatever_it_holds(text):
    def cost_s():
        started = time.process_time()
        with contextlib.suppress(TooManyElementsError):
            check_elements(text)
        return time.process_time() - started

    assert min(cost_s() for _ in range(3)) < 0.05


def test_text_is_bounded_by_what_it_decodes_to():
    assert check_elements(b"a" * MAX_TEXT_BYTES) == 1
    assert check_elements(b'\\"' * MAX_TEXT_BYTES) >= 1
    with pytest.raises(TooManyElementsError):
        check_elements(b"a" * (MAX_TEXT_BYTES + 1))


def test_the_largest_metadata_of_an_application_is_within_the_bounds():
    metadata = json.dumps("\u00e9" * (512 * 1024 // 6 - 2))
    assert 512 * 1024 - 16 <= len(metadata) <= 512 * 1024
    check_elements(json.dumps({"metadata": metadata}).encode())
