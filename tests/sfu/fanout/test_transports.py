import numpy as np
import pytest

from sfu.fanout import transports
from sfu.fanout.transports import PATH_BYTES, Transports


def test_an_index_is_used_again_and_starts_anew():
    table = Transports()
    first, second = table.add(), table.add()
    assert first != second
    table.connect(first, 1234)
    table.move(first, bytes(range(PATH_BYTES)))
    table.sequence[first] = 7
    table.sent.record(np.array([first], np.int32), np.array([7], np.int32), np.array([100], np.int32), 1.0)
    assert table.sent.look_up(first, 7, 1).known.all()
    assert table.sessions[first] == 1234
    assert table.addresses[first].tobytes() == bytes(range(PATH_BYTES))
    table.remove(first)
    assert table.add() == first
    assert table.sessions[first] == 0
    assert not table.addresses[first].any()
    assert table.sequence[first] == 0
    assert not table.sent.look_up(first, 7, 1).known.any()


def test_there_is_an_end(monkeypatch):
    monkeypatch.setattr(transports, "MAX_TRANSPORTS", 2)
    table = Transports()
    table.add()
    table.add()
    with pytest.raises(RuntimeError, match="no room for more connections"):
        table.add()
