"""Child processes are started from the installed project, wherever the server was started."""

from sfu.settings import MediaSettings
from sfu.shell.workers import MediaWorkers


async def test_a_package_of_the_same_name_in_the_current_folder_is_not_run(tmp_path, monkeypatch):
    for name in ("sfu", "recording"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    monkeypatch.chdir(tmp_path)
    media = MediaWorkers(MediaSettings(), 1, lambda _event: None)
    await media.start()
    try:
        assert [worker.alive for worker in media._workers] == [True]
    finally:
        await media.stop()
