"""Weak network paths of participants, as an attribute that the page reads and other clients can read too."""

import json
import logging

from sfu.values import LinkChanged
from signaling.errors import LimitError
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import LINK
from signaling.rooms.rooms import Rooms

log = logging.getLogger(__name__)


class Links:
    """Updates the attribute when the engine reports a change."""

    def __init__(self, rooms: Rooms, media_events: MediaEvents) -> None:
        """Listen to the engine."""
        self._rooms = rooms
        media_events.on(LinkChanged, self._changed)

    def _changed(self, event: LinkChanged) -> None:
        """Set the attribute: JSON with `kbps`, `cameras`, `screen` and `loss`; removed while the path is no limit."""
        person = self._rooms.participant(event.peer_id)
        if person is None:
            return
        text = ""
        if event.kbps is not None or event.loss_percent:
            state = {
                "kbps": event.kbps,
                "cameras": event.cameras,
                "screen": event.screen,
                "loss": event.loss_percent,
            }
            text = json.dumps(state)
        try:
            self._rooms.update_profile(person, attributes={LINK: text})
        except LimitError:
            log.info("the attributes of %s are full: its link state is not shown", person.sid)
