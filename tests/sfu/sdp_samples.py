"""Offers of real clients (credentials and addresses replaced by neutral ones), and a reader for answers."""

from pathlib import Path

from hypothesis import strategies as st

from sfu.session.negotiation import LocalTransport
from sfu.wire.sdp import RemoteDescription, parse_offer

DATA = Path(__file__).parent / "offers"
NAMES = tuple(sorted(path.stem for path in DATA.glob("*.sdp")))
FINGERPRINT = ":".join(["AB"] * 32)
CANDIDATES = (
    "candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host",
    "candidate:2 1 udp 2130706430 2001:db8::1 7882 typ host",
)
TRANSPORT = LocalTransport("srvu", "serverserverserverserver", FINGERPRINT, CANDIDATES, "42", 7)


def text(name: str) -> str:
    """A sample as it is on the wire, lines ended by CRLF."""
    return (DATA / f"{name}.sdp").read_text().replace("\n", "\r\n")


def read_answer(answer: str) -> RemoteDescription:
    """Read an answer with the offer's parser, once its two answer-only lines are turned round."""
    return parse_offer(answer.replace("a=ice-lite\r\n", "").replace("a=setup:passive", "a=setup:active"))


def lines_of(answer: str, mid: str) -> list[str]:
    """The lines of one section."""
    for block in answer.split("\r\nm=")[1:]:
        lines = ("m=" + block).strip("\r\n").split("\r\n")
        if f"a=mid:{mid}" in lines:
            return lines
    raise AssertionError(mid)


NASTY = [
    "",
    "0",
    "-1",
    "96",
    "255",
    "4294967296",
    "9" * 30,
    "*",
    "~",
    ";",
    ",",
    "/",
    ":",
    "é",
    "\0",
    "٣",
    "a" * 300,
]


@st.composite
def mutated_offers(draw):
    """A real offer with a few lines dropped, doubled, swapped, cut or with a nasty token."""
    lines = text(draw(st.sampled_from(NAMES))).split("\r\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["drop", "double", "swap", "cut", "token", "tail"]))
        line = lines[at]
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(draw(st.integers(0, len(lines))), line)
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], line
        elif kind == "cut":
            lines[at] = line[: draw(st.integers(0, len(line)))]
        elif kind == "tail":
            del lines[at + 1 :]
        else:
            separator = draw(st.sampled_from([" ", ":", "/", ";", "="]))
            parts = line.split(separator)
            parts[draw(st.integers(0, len(parts) - 1))] = draw(st.sampled_from(NASTY))
            lines[at] = separator.join(parts)
    return "\r\n".join(lines)
