"""Participants who join by real signalling, ICE and DTLS, and whose media the generator in C sends and receives."""

import asyncio
import threading
from collections.abc import Sequence

from aiortc.rtcdtlstransport import RTCCertificate

from bench.load.descriptions import Address, Local, Remote
from bench.load.plan import Plan
from bench.load.session import Listener, Part, Session
from bench.load.transport import Transport
from bench.load.visit import token
from bench.mesh.generator import Generator, Sending


class People:
    """The participants of a load."""

    def __init__(self, plan: Plan) -> None:
        """Start without participants; of the plan, the server, its key and the SRTP profile count."""
        self._plan = plan
        self._certificate = RTCCertificate.generateCertificate()
        self._sessions: list[Session] = []
        self._joined: list[tuple[Transport, Sequence[Sending]]] = []

    async def join(self, room: str, identity: str, tracks: Sequence[Sending]) -> None:
        """Connect one who sends these tracks and receives all others. SessionError, TimeoutError, ConnectionError."""
        plan, loop = self._plan, asyncio.get_running_loop()
        transport = Transport(self._certificate, plan.srtp)
        fingerprint = self._certificate.getFingerprints()[0].value
        ssrcs = tuple(track.ssrc for track in tracks)
        ticket = token(plan, room, identity, publish=bool(tracks), view=True)
        local = Local(transport.ufrag, transport.pwd, fingerprint, ssrcs)
        part = Part([track.media for track in tracks])
        session = await asyncio.to_thread(Session, plan.host, ticket, local, part)
        self._sessions.append(session)

        def renew(remote: Remote) -> None:
            transport.remote = remote

        def add(address: Address) -> None:
            loop.call_soon_threadsafe(transport.add_address, address)

        threading.Thread(target=session.listen, args=(Listener(renew, add),), daemon=True).start()
        await transport.connect(session.remote)
        self._joined.append((transport, tracks))

    def hand_over(self) -> Generator:
        """Return the media of all who have joined. OSError, MemoryError."""
        generator = Generator(len(self._joined))
        for transport, tracks in self._joined:
            transport.hand_over()
            generator.add(transport, tracks)
        return generator

    async def leave(self) -> None:
        """Disconnect everybody."""
        for session in self._sessions:
            await asyncio.to_thread(session.leave)
        for transport, _ in self._joined:
            transport.socket.close()
