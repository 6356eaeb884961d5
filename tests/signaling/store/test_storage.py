import pytest

from signaling.config import ServerConfig
from signaling.errors import ConfigError
from signaling.store.storage import data_folder, only_server, opened


def config(folder):
    return ServerConfig(data_dir=str(folder))


async def test_what_is_stored_is_there_at_the_next_start(tmp_path):
    folder = tmp_path / "made" / "for this"
    async with opened(config(folder)) as store:
        await store.documents.put("n", "k", 1)
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        assert modes.keys() >= {"lectern.db", "lectern.db-wal", "master.key"}
        assert set(modes.values()) == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    async with opened(config(folder)) as store:
        assert await store.documents.get("n", "k") == 1


@pytest.mark.parametrize("path", ["file", "file/below", "/proc/data"])
def test_a_folder_that_cannot_be_made_is_the_operators_to_mend(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="data folder"):
        data_folder(config(tmp_path / path))


async def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "lectern.db").write_text("a poem, which is longer than the header of a database" * 20)
    with pytest.raises(ConfigError, match=r"lectern\.db"):
        async with opened(config(tmp_path)):
            pass


def test_a_folder_has_one_server_at_a_time(tmp_path):
    with only_server(config(tmp_path)), pytest.raises(ConfigError, match="another server"):  # noqa: SIM117 - the outer one is the first server
        with only_server(config(tmp_path)):
            pass
    with only_server(config(tmp_path)):
        pass


def test_a_lock_that_cannot_be_made_is_the_operators_to_mend(tmp_path):
    (tmp_path / "server.lock").mkdir()
    with pytest.raises(ConfigError, match="cannot be used"), only_server(config(tmp_path)):
        pass
