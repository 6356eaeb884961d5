import pytest

from signaling.errors import TooOftenError
from signaling.limits import Limits
from signaling.sessions_api.people.mailing import Mailing
from signaling.store.people.mails import MailKind


async def test_without_a_sender_nothing_happens():
    mailing = Mailing(None, Limits(lambda: 0.0))
    assert not mailing.is_on
    await mailing.send("north", MailKind.RESET, "ada")


def test_one_address_is_limited_and_others_are_not():
    now = [0.0]
    mailing = Mailing(None, Limits(lambda: now[0]))
    for _ in range(3):
        mailing.check("north", "ada@school.example")
    with pytest.raises(TooOftenError):
        mailing.check("north", "ada@school.example")
    mailing.check("south", "ada@school.example")
    now[0] = 3600.0
    mailing.check("north", "ada@school.example")
