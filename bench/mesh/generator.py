"""The generator of media in C (`generator.c`): built when it is first used, with the data plane's code for feedback."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.load.media import FORMATS
from bench.load.transport import Transport
from bench.native import load, srtp_function
from sfu.dataplane.library import FOLDER

HERE = Path(__file__).parent
# Seconds per unit of the histogram in generator.h.
LATENCY_UNIT_S = 10e-6


@dataclass(frozen=True, slots=True)
class Sending:
    """A track of a client."""

    ssrc: int
    media: str
    "A key of FORMATS."
    rate: float
    "Packets per second."
    burst: int = 1
    "Packets back to back; the bursts are evenly spaced."


@dataclass(frozen=True, slots=True)
class Totals:
    """What all clients counted; see `struct totals`."""

    sent: int
    late: int
    received: int
    missing: int
    sampled: int
    wrong: int
    reports: int
    streams: int
    busy_s: float
    latencies: tuple[int, ...]

    def latency_s(self, share: float) -> float:
        """Return the latency below which `share` (0 to 1) of the sampled packets are."""
        left = share * sum(self.latencies)
        for unit, count in enumerate(self.latencies):
            left -= count
            if left <= 0:
                return (unit + 1) * LATENCY_UNIT_S
        return len(self.latencies) * LATENCY_UNIT_S


class Generator:
    """The media of connected clients. OSError if there is no C compiler."""

    def __init__(self, clients: int) -> None:
        """Prepare for this many clients at most. MemoryError."""
        self._ffi, self._lib = load(
            HERE / "generator.h", HERE / "generator.c", FOLDER / "feedback.c", includes=(HERE, FOLDER)
        )
        names = ("srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp")
        functions = self._ffi.new("struct functions *", [srtp_function(name) for name in names])
        payload_types = [number for number, _, _ in FORMATS.values()]
        self._generator = self._lib.generator_new(clients, functions, payload_types, len(payload_types))
        if not self._generator:
            raise MemoryError

    def add(self, transport: Transport, tracks: Iterable[Sending]) -> None:
        """Take over a connected transport, which must no longer be used by its owner. OSError."""
        values = [
            (
                track.ssrc,
                FORMATS[track.media][1],
                *FORMATS[track.media][::2],
                track.media == "video",
                track.burst,
                track.burst / track.rate,
            )
            for track in tracks
        ]
        check = transport.check()
        added = self._lib.generator_add(
            self._generator,
            transport.socket.fileno(),
            transport.dtls.inbound,
            transport.dtls.outbound,
            transport.transport_cc_id,
            check,
            len(check),
            self._ffi.new("struct track[]", values),
            len(values),
        )
        if not added:
            raise OSError("the generator takes no more clients")

    def run(self, seconds: float) -> None:
        """Send and receive for this long, without the interpreter. OSError."""
        if not self._lib.generator_run(self._generator, seconds):
            raise OSError("the generator failed")

    def reset(self) -> None:
        """Begin to count."""
        self._lib.generator_reset(self._generator)

    def totals(self) -> Totals:
        """Return the counts since then."""
        found = self._lib.generator_totals(self._generator)
        names = [name for name in Totals.__dataclass_fields__ if name != "latencies"]
        return Totals(**{name: getattr(found, name) for name in names}, latencies=tuple(found.latencies))

    def close(self) -> None:
        """Free everything but the sockets."""
        self._lib.generator_free(self._generator)
