"""Connectivity checks: as they come, and again with a signature that is right, which reaches what is behind it."""

import contextlib

from aioice import stun

from sfu.session.ice import IceAgent, StunError, scan

PASSWORD = "password"
ADDRESS = bytes(28)


def check(**attributes):
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, b"transaction!")
    request.attributes.update({"USERNAME": "server:client", "PRIORITY": 1, **attributes})
    request.add_message_integrity(PASSWORD.encode())
    request.add_fingerprint()
    return bytes(request)


def seeds():
    return [
        check(**{"USE-CANDIDATE": None, "ICE-CONTROLLING": 1}),
        check(**{"ICE-CONTROLLED": 7}),
        check(SOFTWARE="somebody's", **{"ICE-CONTROLLING": 1}),
    ]


def signed(data, username=None, password=PASSWORD):
    """The attributes of a message that can be read, signed again; other data as it is."""
    try:
        request = stun.parse_message(data)
    except Exception:  # noqa: BLE001 - aioice raises several kinds; here it is only a tool
        return data
    for name in ("MESSAGE-INTEGRITY", "FINGERPRINT"):
        request.attributes.pop(name, None)
    if username is not None:
        request.attributes["USERNAME"] = username
    try:
        request.add_message_integrity(password.encode())
    except Exception:  # noqa: BLE001 - see above
        return data
    return bytes(request)


def make():
    agent = IceAgent("server", PASSWORD)
    now = [100.0]

    def feed(data):
        now[0] += 0.01
        for datagram in (data, signed(data)):
            with contextlib.suppress(StunError):
                ufrag = scan(datagram)
                if ufrag == "server":
                    agent.handle(datagram, ufrag, ADDRESS, ("192.0.2.1", 5), now[0])

    return feed
