"""How many media sections a client still has to offer.

In single-connection mode only the client offers, so the server has to ask for room for its tracks. The rules
here keep it from asking twice for the same: a client adds what it is asked for each time.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sections:
    """A number of receiving sections."""

    audio: int = 0
    "Sections for audio."
    video: int = 0
    "Sections for video."

    def most(self, other: "Sections") -> "Sections":
        """Return the larger of both, kind by kind."""
        return Sections(max(self.audio, other.audio), max(self.video, other.video))

    def beyond(self, other: "Sections") -> "Sections":
        """Return what of this is not in the other."""
        return Sections(max(self.audio - other.audio, 0), max(self.video - other.video, 0))


NONE = Sections()


@dataclass(slots=True)
class SectionDemand:
    """What one client was asked for and what it has to be asked for."""

    _negotiated: bool = False
    "There was an answer; before the first one the client offers of its own accord."
    _negotiating: bool = False
    "An offer is being answered; what is missing is known after that."
    _needed: Sections | None = None
    "Reported by the engine and not asked for yet."
    _asked: Sections | None = None
    "Asked for since the last offer."

    def need(self, sections: Sections) -> None:
        """Note that the engine misses this many sections in all; none: an offer with those present does."""
        if self._negotiated or self._negotiating:
            self._needed = sections

    def offer_arrived(self) -> None:
        """Note that a new offer is there: what was asked for is in it."""
        self._negotiating = True
        self._asked = None
        self._needed = None

    def answered(self, *, complete: bool) -> None:
        """Note the answer; if every subscription has its section, what was reported meanwhile is outdated."""
        self._negotiated = True
        self._negotiating = False
        if complete:
            self._needed = None

    def refused(self) -> None:
        """Note that the offer came to nothing."""
        self._negotiating = False

    def take(self) -> Sections | None:
        """Return what to ask the client for now; None when there is nothing, or nothing yet."""
        if self._needed is None or self._negotiating:
            return None
        needed, self._needed = self._needed, None
        if self._asked is None:
            self._asked = needed
            return needed
        more = needed.beyond(self._asked)
        self._asked = self._asked.most(needed)
        return None if more == NONE else more
