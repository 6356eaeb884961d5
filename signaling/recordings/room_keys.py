"""Keys of rooms that are encrypted end to end, given by a tutor so that their tracks are recorded.

The frame keys are derived as LiveKit's clients derive them (`livekit-client`, KeyProvider): what a tutor gives is not
kept. They are in the database, encrypted by the master key, until the room ends, so that the next server can continue.
"""

import base64
import binascii
import hashlib
import logging
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signaling.errors import VaultError
from signaling.ids import Identity, RoomName
from signaling.store import Store

log = logging.getLogger(__name__)

_NAMESPACE: Final = "room keys"
# The constants of LiveKit's clients.
SALT: Final = b"LKFrameEncryptionKey"
_ITERATIONS: Final = 100_000
_INFO: Final = bytes(128)
_KEY_OCTETS: Final = 16
MAX_KEYS: Final = 500
"Of a room: one for each person, and some that were changed."

Derivation = Literal["pbkdf2", "hkdf"]
FrameKeys = tuple[tuple[int, bytes], ...]
"(number, key)"


def frame_key(material: bytes, derivation: Derivation) -> bytes:
    """Return the key of frames, from a passphrase or other material. Takes 50 ms with PBKDF2: for threads."""
    if derivation == "hkdf":
        return HKDF(SHA256(), _KEY_OCTETS, salt=SALT, info=_INFO).derive(material)
    return hashlib.pbkdf2_hmac("sha256", material, SALT, _ITERATIONS, _KEY_OCTETS)


class _Key(msgspec.Struct, frozen=True, array_like=True):
    person: Identity
    "Whose frames it decrypts; empty: those of everybody."
    number: int
    key: bytes


class RoomKeys:
    """The keys of all rooms."""

    def __init__(self, store: Store) -> None:
        """They are documents of the store."""
        self._store = store
        self._rooms: dict[RoomName, list[_Key]] = {}

    async def load(self) -> None:
        """Read the keys that an earlier server was given. StoreError."""
        for name, sealed in (await self._store.documents.all(_NAMESPACE)).items():
            try:
                text = self._store.vault.open(sealed, _purpose(RoomName(name)))
                self._rooms[RoomName(name)] = msgspec.json.decode(text, type=list[_Key])
            except (VaultError, msgspec.MsgspecError) as error:
                log.warning("the keys of room %s are lost: %s", name, error)

    def of(self, room_name: RoomName, person: Identity) -> FrameKeys:
        """Return the keys of a person's frames; the person's own take precedence over those of everybody."""
        keys = self._rooms.get(room_name, ())
        shared = {each.number: each.key for each in keys if not each.person}
        own = {each.number: each.key for each in keys if each.person == person}
        return tuple(sorted({**shared, **own}.items()))

    def __contains__(self, room_name: RoomName) -> bool:
        """Whether a room has keys."""
        return room_name in self._rooms

    def is_full(self, room_name: RoomName) -> bool:
        """Whether a room can be given no further key."""
        return len(self._rooms.get(room_name, ())) >= MAX_KEYS

    async def put(self, room_name: RoomName, person: Identity, number: int, key: bytes) -> None:
        """Use a key from now on, instead of one of the same person and number. StoreError."""
        before = self._rooms.get(room_name, [])
        kept = [each for each in before if (each.person, each.number) != (person, number)]
        keys = self._rooms[room_name] = [*kept, _Key(person, number, key)]
        sealed = self._store.vault.seal(msgspec.json.encode(keys).decode(), _purpose(room_name))
        await self._store.documents.put(_NAMESPACE, room_name, sealed)

    async def forget(self, room_name: RoomName) -> None:
        """Delete the keys of a room. StoreError."""
        if self._rooms.pop(room_name, None) is not None:
            await self._store.documents.delete(_NAMESPACE, room_name)


def material_of(key: str, encoding: Literal["text", "base64"]) -> bytes:
    """Return the octets of a key. ValueError."""
    if encoding == "text":
        return key.encode()
    try:
        return base64.b64decode(key, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _purpose(room_name: RoomName) -> str:
    return f"the keys of room {room_name}"
