import os

import pytest


@pytest.fixture
def cores():
    """The cores that the test may use; what it runs chooses among them."""
    found = os.sched_getaffinity(0)
    yield sorted(found)
    os.sched_setaffinity(0, found)
