"""RTCP compounds and the arrivals in transport-wide feedback."""

import contextlib

from sfu.bandwidth import arrivals
from sfu.wire import rtcp
from tests.sfu.router_world import remb
from tests.sfu.rtp_samples import CHROMIUM_REPORTS


def seeds():
    block = rtcp.ReportBlock(1, 2, 3, 4, 5, 6, 7)
    # base number, count, reference time and number, one run, one vector of 2-bit symbols, deltas
    feedback = bytes.fromhex("0001000a0000010020 05d540".replace(" ", "")) + bytes(12)
    kinds = [
        rtcp.sender_report(1, 1 << 40, 3, 4, 5),
        rtcp.receiver_report(1, [block, block]),
        rtcp.sdes_cname(1, "name"),
        rtcp.bye([1, 2]),
        rtcp.nack(1, 2, [1, 2, 5, 900]),
        rtcp.pli(1, 2),
        rtcp.fir(1, 2, 3),
        rtcp.transport_feedback(1, 2, feedback),
        remb(1_000_000),
    ]
    return [*kinds, b"".join(kinds), *CHROMIUM_REPORTS]


def make():
    def feed(data):
        with contextlib.suppress(rtcp.RtcpError):
            for part in rtcp.parse(data):
                if isinstance(part, rtcp.TransportFeedbackReport):
                    arrivals.last(part.data)
                    arrivals.decode(part.data)
        for part in (data, data[12:]):
            with contextlib.suppress(rtcp.RtcpError):
                arrivals.last(part)
            with contextlib.suppress(rtcp.RtcpError):
                arrivals.decode(part)

    return feed
