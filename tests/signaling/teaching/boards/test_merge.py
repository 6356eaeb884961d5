import subprocess
import sys

import msgspec
import pycrdt
import pytest

from signaling.teaching.boards.merge import merged


def strokes(count):
    """An update for each stroke of one page, as Yjs sends them."""
    doc, updates = pycrdt.Doc(), []
    array = doc.get("strokes", type=pycrdt.Array)
    subscription = doc.observe(lambda event: updates.append(event.update))
    for number in range(count):
        array.append({"id": str(number), "points": [number, 1, 2]})
    doc.unobserve(subscription)
    return updates


def drawn(*updates):
    doc = pycrdt.Doc()
    for update in updates:
        doc.apply_update(update)
    return [stroke["id"] for stroke in doc.get("strokes", type=pycrdt.Array).to_py()]


def test_one_update_has_all_of_them():
    updates = strokes(20)
    assert drawn(merged(updates)) == [str(number) for number in range(20)]
    assert len(merged(updates)) < sum(map(len, updates))


def test_an_update_that_came_before_its_predecessor_is_not_lost():
    first, second, third = strokes(3)
    assert drawn(merged([third, first]), second) == ["0", "1", "2"]


def test_what_cannot_be_decoded_is_left_out():
    updates = strokes(3)
    assert drawn(merged([b"\xff\xff\xff\xff\x0f", updates[0], b"", *updates[1:], b"garbage"])) == [
        "0",
        "1",
        "2",
    ]
    with pytest.raises(ValueError, match="no update"):
        merged([b"garbage"])


def test_the_process_merges_what_it_is_given():
    updates = strokes(3)
    command = [sys.executable, "-m", "signaling.teaching.boards.merge"]
    done = subprocess.run(command, input=msgspec.msgpack.encode(updates), capture_output=True, check=True)
    assert drawn(done.stdout) == ["0", "1", "2"]
    done = subprocess.run(
        command, input=msgspec.msgpack.encode([b"garbage"]), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, b"")
