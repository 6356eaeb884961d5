import shutil

import pytest

from bench.bare import measure
from bench.native import COMPILER


def test_every_packet_is_forwarded_to_every_viewer(cores):
    if shutil.which(COMPILER[0]) is None:
        pytest.skip("there is no C compiler")
    assert 0 < measure(viewers=3, rate=400, seconds=0.5, packet_bytes=300, cores=cores) < 1e-3
