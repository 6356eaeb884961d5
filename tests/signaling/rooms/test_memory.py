from signaling.rooms import memory
from signaling.rooms.memory import TOKEN_MEMORY_S, Memory


def test_what_is_remembered_is_forgotten_in_time():
    known = Memory()
    known.put("ada", 1, 0.0)
    assert known.get("ada", TOKEN_MEMORY_S) == 1
    assert known.get("ada", TOKEN_MEMORY_S + 1) is None
    assert not known.has("ben", 0.0)
    known.put("ben", 2, TOKEN_MEMORY_S + 1)
    assert len(known) == 1


def test_the_oldest_goes_where_there_is_no_room(monkeypatch):
    monkeypatch.setattr(memory, "MAX_REMEMBERED", 2)
    known = Memory()
    for number, name in enumerate("abab"):
        known.put(name, number, float(number))
    known.put("c", 4, 4.0)
    assert [known.get(name, 4.0) for name in "abc"] == [None, 3, 4]


def test_what_is_remembered_has_a_size():
    known = Memory(max_size=10, size=len)
    known.put("a", "xxxxx", 0.0)
    known.put("b", "xxxxx", 0.0)
    known.put("a", "yyyyy", 0.0)
    assert [known.get(name, 0.0) for name in "ab"] == ["yyyyy", "xxxxx"]
    known.put("c", "x", 0.0)
    assert [known.get(name, 0.0) for name in "abc"] == ["yyyyy", None, "x"]
