import pytest

from signaling.errors import TooOftenError
from signaling.limits import Limits
from signaling.sessions_api.people.sign_in_limits import limit_by_account, limit_by_address


def test_an_account_is_limited_in_its_tenant_alone():
    limits = Limits(lambda: 0.0)
    for _ in range(10):
        limit_by_account(limits, "north", "ada@school.example")
    with pytest.raises(TooOftenError):
        limit_by_account(limits, "north", "ada@school.example")
    limit_by_account(limits, "south", "ada@school.example")


def test_an_unknown_network_address_is_not_counted():
    limits = Limits(lambda: 0.0)
    for _ in range(1000):
        limit_by_address(limits, "")
    for _ in range(120):
        limit_by_address(limits, "192.0.2.1")
    with pytest.raises(TooOftenError):
        limit_by_address(limits, "192.0.2.1")
