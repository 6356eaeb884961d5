"""Reception statistics of a stream, for receiver reports (RFC 3550 section 6.4 and appendix A)."""

from sfu.wire import rtcp
from sfu.wire.arithmetic import ts_diff
from sfu.wire.rtcp import ReportBlock


class ReceiverStatistics:
    """The figures of one stream for receiver reports (RFC 3550 appendices A.3 and A.8)."""

    __slots__ = (
        "_base",
        "_expected_prior",
        "_jitter",
        "_last_at",
        "_last_timestamp",
        "_received_prior",
        "_sr_at",
        "_sr_middle",
        "clock_rate_hz",
        "highest",
        "received_packets",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_rate_hz: int) -> None:
        """`clock_rate_hz` is that of the RTP timestamps."""
        self.ssrc = ssrc
        self.clock_rate_hz = clock_rate_hz
        self.received_packets = 0
        self.highest = 0
        "Highest extended sequence number."
        self._base = 0
        self._jitter = 0.0
        self._last_at = 0.0
        self._last_timestamp = 0
        self._expected_prior = 0
        self._received_prior = 0
        self._sr_at: float | None = None
        self._sr_middle = 0

    def received(self, ext_seq: int, rtp_timestamp: int, now: float) -> None:
        """Record the arrival of a packet."""
        self.received_packets += 1
        if self.received_packets == 1:
            self._base = self.highest = ext_seq
        elif ext_seq > self.highest:
            self.highest = ext_seq
            # A.8, in order alone: a retransmission's transit time says nothing of the network's jitter
            ticks = (now - self._last_at) * self.clock_rate_hz - ts_diff(rtp_timestamp, self._last_timestamp)
            self._jitter += (abs(ticks) - self._jitter) / 16
        else:
            self._base = min(self._base, ext_seq)
            return
        self._last_at = now
        self._last_timestamp = rtp_timestamp

    def sender_report(self, ntp: int, now: float) -> None:
        """Record the arrival of the publisher's sender report with this 64-bit NTP time."""
        self._sr_middle = rtcp.ntp_middle(ntp)
        self._sr_at = now

    def report_block(self, now: float) -> ReportBlock:
        """Return the block for a receiver report; its fraction lost covers the time since the last call."""
        expected = self.highest - self._base + 1 if self.received_packets else 0
        lost = expected - self.received_packets
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (self.received_packets - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self.received_packets
        fraction = (lost_interval << 8) // expected_interval if expected_interval > 0 else 0
        delay = 0 if self._sr_at is None else int((now - self._sr_at) * 65536)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(max(fraction, 0), 255),
            cumulative_lost=min(max(lost, -0x800000), 0x7FFFFF),
            highest_sequence=self.highest & 0xFFFFFFFF,
            jitter=min(int(self._jitter), 0xFFFFFFFF),
            last_sr=self._sr_middle,
            delay_since_last_sr=min(delay, 0xFFFFFFFF),
        )
