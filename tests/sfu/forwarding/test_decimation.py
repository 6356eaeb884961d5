from hypothesis import given
from hypothesis import strategies as st

from sfu.forwarding.decimation import Decimation
from sfu.receiving.history import VIDEO_HISTORY


class TestThinning:
    """A stream of pictures of some packets each, of which some are left out."""

    @staticmethod
    def thinned(first, pictures):
        """(thinning, {source number: (number, picture id) of those that stay}, source numbers left out)."""
        thinning = Decimation()
        stays, left_out = {}, []
        source, number, shown = first, first, 0
        for picture_id, (stay, packets) in enumerate(pictures):
            for _ in range(packets):
                if stay:
                    stays[source] = (number, shown)
                    assert thinning.number(source) == (number, picture_id - shown)
                    number += 1
                else:
                    left_out.append(source)
                    thinning.leave_out(source, picture_id)
                source += 1
            shown += stay
        return thinning, stays, left_out

    def test_nothing_left_out(self):
        thinning = Decimation()
        assert thinning.number(77) == (77, 0)
        assert thinning.source(77) == 77

    @given(st.integers(0, 70_000), st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=60))
    def test_no_gaps_and_all_traced_back(self, first, pictures):
        thinning, stays, left_out = self.thinned(first, pictures)
        assert [number for number, _ in stays.values()] == list(range(first, first + len(stays)))
        for source, (number, _) in stays.items():
            assert thinning.source(number) == source
            assert thinning.number(source)[0] == number
        for source in left_out:
            after = sum(1 for stay in stays if stay < source)
            assert thinning.number(source)[0] == first + after

    def test_remembers_as_much_as_the_history(self):
        thinning, stays, left_out = self.thinned(10, [(i % 4 == 0, 2) for i in range(2000)])
        newest = max(left_out)
        for source, (number, _) in stays.items():
            if source > newest - VIDEO_HISTORY:
                assert thinning.source(number) == source
                assert thinning.number(source)[0] == number
        assert thinning.number(10) is None
        assert thinning.source(10) is None
