import math

import pytest

from signaling.teaching.boards.items import Item, line_height, read_item

PEN = {"kind": "pen", "colour": "#c0271d", "width": 4, "points": [1, 2.5, 3, 4], "text": ""}


def test_an_item_is_read():
    assert read_item(PEN) == Item("pen", (0xC0, 0x27, 0x1D), 4.0, [(1.0, 2.5), (3.0, 4.0)], "")
    assert read_item({**PEN, "kind": "text", "text": "x" * 600}).text == "x" * 500
    assert read_item({**PEN, "text": 5}).text == ""
    assert line_height(8) == 52


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "image"},
        {"kind": ["pen"]},
        {"colour": "red"},
        {"colour": "#c0271d; x"},
        {"colour": 5},
        {"width": 0},
        {"width": 101},
        {"width": "4"},
        {"width": True},
        {"points": []},
        {"points": [1]},
        {"points": [1, 2, 3]},
        {"points": [1, math.nan]},
        {"points": [1, math.inf]},
        {"points": [1, 1e300]},
        {"points": [1, None]},
        {"points": "1,2"},
    ],
)
def test_what_is_no_item_is_left_out(wrong):
    assert read_item({**PEN, **wrong}) is None


IMAGE = {"kind": "image", "id": "i", "file": "f_1", "points": [1, 2, 30, 40]}


def test_an_image_names_a_file_and_has_two_corners():
    assert read_item(IMAGE) == Item("image", (0, 0, 0), 1.0, [(1.0, 2.0), (30.0, 40.0)], "", "f_1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": ""},
        {"file": 5},
        {"file": "f" * 129},
        {"points": [1, 2]},
        {"points": [1, 2, 3, 4, 5, 6]},
        {"points": [30, 2, 1, 40]},
        {"points": [1, 2, 30, 2]},
    ],
)
def test_an_image_without_a_file_or_a_place_is_left_out(wrong):
    assert read_item({**IMAGE, **wrong}) is None


def test_other_values_are_left_out():
    assert [read_item(each) for each in (None, 5, "pen", [], {})] == [None] * 5
