"""What is told of weak links, as an attribute."""

import json

from sfu.values import LinkChanged
from signaling.rooms.model import LINK
from signaling.rooms.rooms import MAX_ATTRIBUTES_BYTES


def tell(harness, person, kbps=300, loss=0):
    harness.services.media_events.dispatch(LinkChanged(person.sid, kbps, False, True, loss))


def test_a_weak_link_becomes_an_attribute_that_goes_with_it(harness, room):
    ben = room.join("ben", attributes={"seat": "3"})
    tell(harness, ben)
    assert json.loads(ben.attributes[LINK]) == {"kbps": 300, "cameras": False, "screen": True, "loss": 0}
    tell(harness, ben, kbps=None, loss=10)
    assert json.loads(ben.attributes[LINK])["loss"] == 10
    tell(harness, ben, kbps=None)
    assert ben.attributes == {"seat": "3"}


def test_a_path_is_not_judged_by_that_of_an_earlier_visit(harness, room):
    ben = room.join("ben")
    tell(harness, ben, kbps=0)
    # a refreshed token carries everything that the participant had
    again = room.join("ben", attributes={**ben.attributes, "seat": "3"})
    assert again.attributes == {"seat": "3"}


def test_full_attributes_stay_as_they_are(harness, room):
    full = {"notes": "x" * (MAX_ATTRIBUTES_BYTES - 5)}
    ben = room.join("ben", attributes=full)
    tell(harness, ben)
    assert ben.attributes == full


def test_who_has_left_is_no_matter(harness):
    harness.services.media_events.dispatch(LinkChanged("PA_gone", 300, False, True, 0))
