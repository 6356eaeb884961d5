import pytest

from signaling.store import Store


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'lectern.db'}")
    yield opened
    await opened.close()
