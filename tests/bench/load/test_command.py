"""The load generator against a real server: what it counts, and what the server has to stand."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from urllib.request import urlopen

import psutil
import pytest

from bench.load.command import LoadError, load
from bench.load.plan import Plan
from bench.load.report import percentile, write
from bench.server import serving


@pytest.fixture(scope="module")
def server():
    with serving(core=None) as server:
        yield server


@pytest.mark.parametrize(("srtp", "media", "dual"), [("gcm", "video", False), ("cm", "audio", True)])
def test_every_viewer_gets_every_packet_unchanged(server, srtp, media, dual, tmp_path, capsys):
    url, pid = server
    plan = Plan(url, rooms=2, viewers=2, duration=1.0, burst=3, srtp=srtp, media=media, pid=pid, prefix=srtp)
    plan = replace(plan, dual=dual)
    result = load(plan)
    assert (result.joined, result.failed, result.dropped) == (4, [], 0)
    assert len(result.first_media_s) == 4
    assert sorted(result.media) == [f"{srtp}-0", f"{srtp}-1"]
    total = result.total
    # two publishers of 200 a second, each to two viewers, for a second on a busy machine
    assert total.received > 400
    assert (total.lost, total.wrong) == (0, 0)
    assert total.sampled > 4
    assert 0 < result.us_per_packet < 10_000
    write(Plan(url, secret="hidden", out=str(tmp_path)), result)
    assert "latency_ms_p99" in capsys.readouterr().out
    report = (tmp_path / "report.json").read_text()
    assert json.loads(report)["figures"]["joined"] == 4
    assert "hidden" not in report
    assert (tmp_path / "report.png").read_bytes()[:4] == b"\x89PNG"


def test_everybody_in_a_mesh_gets_all_tracks_of_all_others(server):
    url, pid = server
    plan = Plan(url, viewers=3, mesh=True, duration=1.0, rate=60.0, voice=50.0, pid=pid, prefix="mesh")
    result = load(plan)
    assert (result.joined, result.failed, result.missing) == (3, [], 0)
    assert result.total.streams == 3 * 2 * 2
    assert (result.total.lost, result.total.wrong) == (0, 0)
    # two of three hear each packet
    assert result.total.received > 1.5 * result.sent


def test_a_publisher_that_is_refused_is_told_in_words(server):
    url, _ = server
    with pytest.raises(LoadError, match=r"a publisher: .*401"):
        load(Plan(url, secret="not the secret", viewers=1, duration=0.1))


def test_a_storm_loses_no_join(server):
    url, _ = server
    result = load(Plan(url, rooms=4, viewers=20, rate=20.0, joins_per_s=30.0, duration=1.0, prefix="storm"))
    assert (result.joined, result.failed, result.dropped) == (80, [], 0)
    assert (result.total.lost, result.total.wrong) == (0, 0)


@pytest.mark.timeout(300)
def test_joins_do_not_disturb_those_who_listen(server):
    url, _ = server
    plan = Plan(url, viewers=10, rate=50.0, media="audio", duration=5.0)
    seen = []
    for attempt in range(3):
        calm = load(replace(plan, prefix=f"calm-{attempt}"))
        busy = load(replace(plan, newcomers=50, joins_per_s=10.0, prefix=f"busy-{attempt}"))
        assert (busy.joined, busy.dropped, busy.total.lost) == (60, 0, 0)
        seen.append([percentile(each.total.latencies_s, 0.99) for each in (calm, busy)])
        # the aim, or as far above what this machine does without joins as its other programs alone may bring
        if seen[-1][1] < max(0.02, 3 * seen[-1][0]):
            return
    pytest.fail(f"p99 of audio, without and with joins, in seconds: {seen}")


def test_a_worker_killed_under_load_is_noticed_by_its_own_clients_only():
    with serving("--workers", "2", core=None) as (url, pid):
        killed = threading.Event()

        def kill():
            # in the middle of the window: all are there once the first viewers have been seen by the workers
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and figures(url)["connections_up"] < 12:
                time.sleep(0.1)
            time.sleep(4)
            workers = psutil.Process(pid).children()
            os.kill(workers[0].pid, signal.SIGKILL)
            killed.set()

        killer = threading.Thread(target=kill)
        killer.start()
        # slow enough that no estimate of a busy machine's bandwidth pauses it
        # and long enough after the kill for the last viewer to be back, and counted, before the window closes
        result = load(Plan(url, rooms=2, viewers=5, rate=50.0, duration=9.0))
        killer.join()
        assert killed.is_set()
    # one room's five viewers and their publisher
    assert (result.dropped, len(result.outages_s)) == (6, 5)
    assert max(result.outages_s) < 3.0
    undisturbed = min(result.media.values(), key=lambda report: report.longest_silence_s)
    assert (undisturbed.lost, undisturbed.wrong) == (0, 0)
    assert undisturbed.longest_silence_s < 0.5
    assert result.total.wrong == 0


@pytest.mark.long
def test_hundreds_of_joins_and_leaves_leave_nothing_behind():
    with serving("--workers", "1", core=None) as (url, pid):
        plan = Plan(url, rooms=4, viewers=5, rate=20.0, stay=0.5, pid=pid, duration=60.0)
        load(replace(plan, joins=50))
        empty, memory, descriptors = settled(url, pid)
        result = load(replace(plan, joins=100))
        assert (result.failed, result.dropped, result.total.wrong) == ([], 0, 0)
        assert result.joined >= 100
        assert settled(url, pid)[0] == empty
        # 2,000 joins within 5 % is the long form's aim; before its cycles were cut the engine grew by 15 % in 100
        assert settled(url, pid)[1] < 1.05 * memory
        assert settled(url, pid)[2] <= descriptors


def settled(url, pid):
    """What an empty server holds: its figures, resident bytes, descriptors."""
    deadline = time.monotonic() + 30
    while (seen := figures(url))["connections"] or seen["peers"]:
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    time.sleep(2)  # the workers' figures come once a second
    held = {name: figures(url)[name] for name in ("peers", "connections", "publications", "tasks")}
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    return (
        held,
        sum(process.memory_info().rss for process in processes),
        sum(process.num_fds() for process in processes),
    )


def figures(url):
    with urlopen(f"http{url.removeprefix('ws')}/debug/media") as response:
        return json.load(response)
