"""Keys of recordings in the database: encrypted by the master key, read by the next server, deleted."""

import pytest

from recording.files.layout import LayoutError
from signaling.recordings.keys import RecordingKeys, no_key
from signaling.store import Store
from signaling.store.vault import Vault


@pytest.fixture
async def store():
    made = await Store.open("sqlite:///:memory:", Vault("a master key"))
    yield made
    await made.close()


async def test_a_key_is_sealed_and_survives_a_restart(store):
    keys = RecordingKeys(store, encrypts=True)
    await keys.create("rec_1")
    key = keys.get("rec_1")
    assert len(key) == 32
    (sealed,) = (await store.documents.all("recording keys")).values()
    assert key.hex() not in sealed
    later = RecordingKeys(store, encrypts=False)
    await later.load()
    assert later.get("rec_1") == key
    await later.create("rec_2")
    assert later.get("rec_2") == no_key("rec_2") == b""


async def test_a_deleted_key_is_nowhere(store):
    keys = RecordingKeys(store, encrypts=True)
    await keys.create("rec_1")
    await keys.delete("rec_1")
    await keys.delete("rec_1")
    assert keys.get("rec_1") == b""
    assert await store.documents.all("recording keys") == {}


async def test_another_master_key_is_told(store):
    keys = RecordingKeys(store, encrypts=True)
    await keys.create("rec_1")
    store.vault = Vault("another master key")
    with pytest.raises(
        LayoutError, match="the key of recording rec_1 cannot be decrypted: the master key has changed"
    ):
        keys.get("rec_1")


async def test_a_key_belongs_to_its_recording(store):
    keys = RecordingKeys(store, encrypts=True)
    await keys.create("rec_1")
    await store.documents.put("recording keys", "rec_2", keys._sealed["rec_1"])
    await keys.load()
    with pytest.raises(LayoutError):
        keys.get("rec_2")
