import base64

import pytest

from signaling.recordings.room_keys import MAX_KEYS, RoomKeys, frame_key, material_of


def test_frame_keys_are_derived_as_by_livekits_clients():
    # Derived by WebCrypto (Node) with the parameters of livekit-client.
    assert frame_key(b"password", "pbkdf2").hex() == "421890b1557504a8ea1a90c253b419e4"
    assert frame_key(bytes(range(32)), "hkdf").hex() == "6d0dd7b3d6f4efde47ab9a9e15abde76"


async def test_a_persons_own_keys_take_precedence(store):
    keys = RoomKeys(store)
    await keys.put("algebra", "", 0, b"shared 0")
    await keys.put("algebra", "", 1, b"shared 1")
    await keys.put("algebra", "ada", 1, b"ada 1")
    await keys.put("algebra", "", 0, b"changed 0")
    assert keys.of("algebra", "ada") == ((0, b"changed 0"), (1, b"ada 1"))
    assert keys.of("algebra", "ben") == ((0, b"changed 0"), (1, b"shared 1"))
    assert keys.of("geometry", "ada") == ()


async def test_keys_are_sealed_survive_a_restart_and_are_forgotten(store):
    keys = RoomKeys(store)
    await keys.put("algebra", "", 0, b"a frame key")
    stored = await store.documents.all("room keys")
    assert base64.b64encode(b"a frame key").decode() not in str(stored)
    await store.documents.put("room keys", "broken", "x")
    after = RoomKeys(store)
    await after.load()
    assert after.of("algebra", "ada") == ((0, b"a frame key"),)
    assert "algebra" in after
    assert "broken" not in after
    await after.forget("algebra")
    await after.forget("geometry")
    assert after.of("algebra", "ada") == ()
    assert "algebra" not in await store.documents.all("room keys")


async def test_keys_are_bounded(store):
    keys = RoomKeys(store)
    keys._rooms["algebra"] = [None] * (MAX_KEYS - 1)
    assert not keys.is_full("algebra")
    keys._rooms["algebra"].append(None)
    assert keys.is_full("algebra")


def test_material():
    assert material_of("pässword", "text") == "pässword".encode()
    assert material_of(base64.b64encode(b"12").decode(), "base64") == b"12"
    with pytest.raises(ValueError):
        material_of("%", "base64")
