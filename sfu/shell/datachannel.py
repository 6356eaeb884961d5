"""The I/O of data channels: an SCTP association on a DTLS transport, with the loop's clock, timers and turns."""

import asyncio
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sfu.sctp.association import Identity
from sfu.sctp.channels import Backlog, DataChannels, Owner
from sfu.shell.turns import Turns
from sfu.values import Channel

if TYPE_CHECKING:
    from sfu.shell.dtls import DtlsTransport


class DataTransport:
    """The data channels of one peer on its DTLS transport."""

    def __init__(  # noqa: PLR0913 - the peer's description, and what is shared between peers
        self,
        transport: "DtlsTransport",
        owner: Owner,
        *,
        port: int,
        max_bytes: int,
        backlog: Backlog,
        turns: Turns,
    ) -> None:
        """See `DataChannels`; `owner.send` is `transport.send_data`."""
        identity = Identity(1 + secrets.randbelow(2**32 - 1), secrets.randbits(32), secrets.token_bytes(16))
        self.channels = DataChannels(identity, owner, backlog, port, max_bytes)
        self._transport = transport
        self._turns = turns
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._flushing = self._stopped = False

    def start(self, channels: Iterable[Channel] = ()) -> None:
        """Open the association and the server's channels."""
        self._transport._register_data_receiver(self)  # noqa: SLF001 - see tests/sfu/test_contract.py
        self.channels.start(channels, time.monotonic(), dtls_client=self._transport.is_client)
        self._schedule()

    def stop(self) -> None:
        """Abort the association."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.channels.stop()

    def send(self, label: str, payload: bytes, flow: str = "") -> bool:
        """Queue a message; see `DataChannels.send`. It is sent in this peer's turn."""
        queued = self.channels.send(label, payload, flow, time.monotonic())
        if not self._flushing and not self._stopped:
            self._flushing = True
            self._turns.ask(self._flush)
        return queued

    def _flush(self) -> None:
        self._flushing = False
        if not self._stopped:
            self.channels.flush(time.monotonic())
            self._schedule()

    async def _handle_data(self, data: bytes) -> None:
        """Process an SCTP packet; called by the DTLS transport."""
        if not self._stopped:
            self.channels.receive(data, time.monotonic())
            self._schedule()

    def _timed_out(self) -> None:
        self._timer = None
        if not self._stopped:
            self.channels.handle_timeout(time.monotonic())
            self._schedule()

    def _schedule(self) -> None:
        """Set the timer for the next deadline; a timer that is set for an earlier time may stay."""
        at = self.channels.next_at()
        if self._stopped or at is None:
            return
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        delay_s = max(at - time.monotonic(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._timed_out)
