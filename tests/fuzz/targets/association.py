"""Fuzz target of an established SCTP association, behind a right verification tag and checksum."""

from tests.fuzz.targets.sctp import make_established as make
from tests.fuzz.targets.sctp import seeds

__all__ = ["make", "seeds"]
