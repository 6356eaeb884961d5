"""Fuzz target of an established SCTP association, behind a right verification tag and checksum."""

from collections.abc import Callable

from tests.fuzz.targets import sctp


def seeds() -> list[bytes]:
    """Packets of each kind."""
    return sctp.seeds()


def make() -> Callable[[bytes], None]:
    """Return what feeds one input to an association that is replaced now and then."""
    return sctp.make_established()
