import pytest

from signaling.errors import UnstorableError


async def test_a_document_is_replaced_and_deleted(store):
    await store.documents.put("tokens", "a", {"n": 1})
    await store.documents.put("tokens", "a", [2])
    await store.documents.put("other", "a", 3)
    assert await store.documents.get("tokens", "a") == [2]
    assert await store.documents.delete("tokens", "a")
    assert not await store.documents.delete("tokens", "a")
    assert await store.documents.get("tokens", "a") is None
    assert await store.documents.get("other", "a") == 3


async def test_what_no_database_takes_is_refused_as_such(store):
    with pytest.raises(UnstorableError):
        await store.documents.put("n", "half of a pair \ud800", 1)
    with pytest.raises(UnstorableError):
        await store.documents.put("n", "k", object())
    await store.documents.put("n", "k", 1)
