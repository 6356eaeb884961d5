from sfu.receiving.compactor import Compactor


class TestCompactor:
    def test_numbers_close_up_over_what_was_dropped(self):
        compactor = Compactor()
        numbers = []
        for ext_seq in range(100, 110):
            if ext_seq in {102, 103, 107}:
                compactor.drop(ext_seq)
            else:
                numbers.append(compactor.number(ext_seq))
        assert numbers == list(range(100, 107))

    def test_a_late_packet_keeps_its_place(self):
        compactor = Compactor()
        for ext_seq in (102, 105):
            compactor.drop(ext_seq)
        assert [compactor.number(n) for n in (101, 103, 104, 106)] == [101, 102, 103, 104]

    def test_memory_is_bounded_and_what_is_too_late_is_told(self):
        compactor = Compactor()
        for ext_seq in range(0, 100_000, 2):
            compactor.drop(ext_seq)
        assert compactor.number(100_001) == 100_001 - 50_000
        assert compactor.number(11) is None
