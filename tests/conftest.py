"""For all tests."""

import gc

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine, making an example may take longer than hypothesis thinks it should; that is no fault of the code.
settings.register_profile("lectern", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lectern")


def pytest_addoption(parser):
    parser.addoption(
        "--long",
        action="store_true",
        help="also what takes long, and what repeats a test with further clients or codecs",
    )


def pytest_collection_finish():
    """Thousands of collected tests live to the end: no garbage collection has to look at them."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skipped = pytest.mark.skip(reason="long, or the same with another client or codec; --long runs it")
        for item in items:
            if item.get_closest_marker("long") is not None:
                item.add_marker(skipped)
