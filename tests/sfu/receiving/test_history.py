import pytest

from sfu.receiving.history import History


class TestHistory:
    def test_keeps_as_many_as_it_has_slots(self):
        history = History(4)
        for number in range(65534, 65540):
            history.store(number, b"%d" % number)
        assert [history.get(number) for number in range(65534, 65541)] == [
            None,
            None,
            b"65536",
            b"65537",
            b"65538",
            b"65539",
            None,
        ]

    def test_a_late_packet_does_not_replace_a_newer_one(self):
        history = History(4)
        history.store(8, b"new")
        history.store(4, b"old")
        assert history.get(8) == b"new"
        assert history.get(4) is None

    def test_numbers_before_the_first(self):
        history = History(4)
        history.store(-1, b"early")
        assert history.get(-1) == b"early"
        assert history.get(3) is None

    def test_empty(self):
        assert History(4).get(-1) is None

    @pytest.mark.parametrize("size", [0, 3, -4])
    def test_size_is_a_power_of_two(self, size):
        with pytest.raises(ValueError, match="power of two"):
            History(size)
