async def test_a_document_is_replaced_and_deleted(store):
    await store.documents.put("tokens", "a", {"n": 1})
    await store.documents.put("tokens", "a", [2])
    await store.documents.put("other", "a", 3)
    assert await store.documents.get("tokens", "a") == [2]
    assert await store.documents.delete("tokens", "a")
    assert not await store.documents.delete("tokens", "a")
    assert await store.documents.get("tokens", "a") is None
    assert await store.documents.get("other", "a") == 3
