"""Offers, and the answers to what could be read."""

from sfu.session.negotiation import Data, Inactive, Receive, Send, build_answer
from sfu.values import SdpError
from sfu.wire.sdp import parse_offer
from tests.sfu import sdp_samples


def seeds():
    return [sdp_samples.text(name).encode() for name in sdp_samples.NAMES]


def words():
    """Tokens at which readers of SDP are often wrong."""
    return [word.encode() for word in sdp_samples.NASTY] + [
        b"\r\n",
        b"m=",
        b"a=mid:",
        b"a=rid:",
        b"a=ssrc:",
        b"BUNDLE",
    ]


def send(index):
    return Send(f"PA_a|TR_{index}", f"TR_{index}", "server", 1000 + index, 2000 + index, "vp8")


def live(section, index):
    """Take all that is offered."""
    if section.kind == "application":
        return Data()
    return send(index) if section.direction == "recvonly" else Receive()


def idle(section, _index):
    return Data() if section.kind == "application" else Inactive()


def make():
    def feed(data):
        for text in (data.decode(errors="surrogateescape"), data.decode("latin-1")):
            try:
                offer = parse_offer(text)
            except SdpError:
                continue
            for decide in (live, idle):
                decisions = [decide(section, index) for index, section in enumerate(offer.sections)]
                build_answer(offer, decisions, sdp_samples.TRANSPORT)

    return feed
