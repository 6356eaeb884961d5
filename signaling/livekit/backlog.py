"""The sending queue of one client: frames, and state that is encoded only when it reaches the head of the queue.

A room's state can have hundreds of megabytes (each participant may carry 512 KiB of metadata). A client that reads must
get all of it, and a client that does not read must not make the server hold it. So state waits as an iterator, of which
one message at a time is encoded; only encoded frames count towards the limit.
"""

from collections import deque
from collections.abc import Iterator

from signaling.livekit.messages.wire import EncodedResponse

Frame = bytes | str


class Backlog:
    """Frames in the order in which they are sent; not thread-safe, no I/O."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: deque[Frame | Iterator[EncodedResponse]] = deque()
        self._urgent: deque[Frame] = deque()
        self.size = 0
        "Bytes of the frames that wait. State that is not encoded yet has none."
        self.json = False
        "Encode as JSON text: the form of the client's last frame."

    def put(self, outgoing: EncodedResponse) -> None:
        """Append a message."""
        self._waiting.append(self._counted(outgoing))

    def put_state(self, messages: Iterator[EncodedResponse]) -> None:
        """Append messages that are made only at the head of the queue; later messages wait for all of them."""
        self._waiting.append(messages)

    def put_urgent(self, outgoing: EncodedResponse) -> None:
        """Append a message ahead of waiting state: a client gives up when a pong takes 15 s."""
        if any(not isinstance(entry, (bytes, str)) for entry in self._waiting):
            self._urgent.append(self._counted(outgoing))
        else:
            self.put(outgoing)

    def drop_state(self) -> None:
        """Forget the state that is not encoded yet: the client will not need it."""
        self._waiting = deque(entry for entry in self._waiting if isinstance(entry, (bytes, str)))

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._urgent.clear()
        self.size = 0

    def pop(self) -> Frame | None:
        """Remove and return the next frame; None when nothing waits."""
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, (bytes, str)):
                self._waiting.popleft()
                self.size -= len(first)
                return first
            if self._urgent:
                break
            message = next(first, None)
            if message is not None:
                return self._encoded(message)
            self._waiting.popleft()
        if not self._urgent:
            return None
        frame = self._urgent.popleft()
        self.size -= len(frame)
        return frame

    def _counted(self, outgoing: EncodedResponse) -> Frame:
        frame = self._encoded(outgoing)
        self.size += len(frame)
        return frame

    def _encoded(self, outgoing: EncodedResponse) -> Frame:
        return outgoing.text() if self.json else outgoing.binary()
