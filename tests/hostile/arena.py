"""A server, a victim room and a storm, each in processes of their own, and the bounds that hold between them."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
# What the server may say of one storm: a line a second at most for each of a handful of causes.
LOG_OCTETS = 64 * 1024
# Buffers, caches and the allocator's arenas of the first storm. The faults that this is to find grew by 1,500 MB.
GROWTH_OCTETS = 48 << 20
P99_MS = 20.0
# Client processes share two cores with the server, and a calm room on a loaded machine has had a p99 of 15 ms. The
# bound is therefore the promised 20 ms or, where the machine itself is slower at that time, three times what the same
# room measured just before the storm. Delivery has no such allowance.
CALM_FACTOR = 3.0
CALM_S = 1.0


@dataclass(frozen=True)
class Usage:
    """What a server has used so far."""

    memory: int
    "Octets of resident memory, of the server and its workers."
    log: int
    "Octets of the log."


@dataclass(frozen=True)
class Outcome:
    """What a storm did to the server and the victim room, and what became of the offender."""

    storm: dict
    calm: dict
    stormy: dict
    growth: int
    logged: int
    log: str
    drops: dict
    "What the media engine dropped meanwhile, by reason."
    ready: tuple
    "Status and body of `/readyz` in the middle of the storm."

    def check(self):
        """The bounds of every storm: victim, memory, log, readiness."""
        stormy, calm = self.stormy, self.calm
        figures = f"calm {calm}, storm {stormy}, storm's own {self.storm}, drops {self.drops}"
        assert stormy["ended"] == "", figures
        assert stormy["received"] == stormy["sent"] > 0, figures
        assert stormy["p99_ms"] < max(P99_MS, CALM_FACTOR * calm["p99_ms"]), figures
        assert self.growth < GROWTH_OCTETS, f"memory grew by {self.growth >> 20} MiB; {figures}"
        assert self.logged < LOG_OCTETS, f"{self.logged} octets of log, which ends:\n{self.log[-2000:]}"
        assert "Traceback" not in self.log, self.log[-4000:]
        assert self.ready[0] == 200, self.ready

    @property
    def dropped(self):
        """How many packets the engine dropped, for whatever reason."""
        return sum(self.drops.values())


class Process:
    """A module of this folder in a process of its own that is told and tells by lines."""

    def __init__(self, process):
        self._process = process

    @classmethod
    async def start(cls, module, *arguments, niceness=0):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"tests.hostile.{module}",
            *arguments,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=lambda: os.nice(niceness),
        )
        started = cls(process)
        try:
            assert await started.line(START_TIMEOUT_S) == "ready", f"{module} did not start"
        except BaseException:
            await started.stop()
            raise
        return started

    def tell(self, line):
        self._process.stdin.write(f"{line}\n".encode())

    async def line(self, timeout_s):
        async with asyncio.timeout(timeout_s):
            return (await self._process.stdout.readline()).decode().strip()

    async def stop(self):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


class Server:
    """`lectern serve` with one media worker, in development mode on loopback."""

    def __init__(self, folder):
        self.folder, self.log_path = folder, folder / "log"
        self.process = None

    async def start(self, *options, descriptors=None, file_octets=None, data_dir=None):
        """Serve; `descriptors` is the soft limit of open files, `file_octets` the hard limit of a file's size."""

        def limit():
            if descriptors is not None:
                hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
            if file_octets is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_octets, file_octets))

        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("lectern"),
                *["serve", "--dev", "--workers", "1", "--http-port", "0", "--udp-port", "0"],
                *["--data-dir", data_dir or self.folder / "data", *options],
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                preexec_fn=limit,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await self.process.stdout.readline()).decode()
        assert "ready" in line, self.log()
        self.port = int(line.rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def workers(self):
        """Process ids of the media workers."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def usage(self):
        return Usage(sum(map(_resident, [self.process.pid, *self.workers()])), self.log_path.stat().st_size)

    async def get(self, path, timeout_s=5.0):
        """Status and text of a request; (0, why) when there is no answer in time."""
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self.url + path) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, repr(error)

    async def drops(self):
        status, text = await self.get("/debug/media")
        figures = json.loads(text) if status == 200 else {}
        return {name: value for name, value in figures.items() if name.startswith("dropped_") and value}

    async def stop(self):
        """End it, by force where it does not end itself: what hangs is what these tests look for."""
        workers = self.workers() if self.process.returncode is None else []
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(5):
                await self.process.communicate()
        except TimeoutError:
            for pid in (*workers, self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await self.process.communicate()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _resident(pid):
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it ended meanwhile
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


class Arena:
    """A server with its victim room, on which one storm after the other is tried."""

    def __init__(self, folder):
        self._folder, self._servers = folder, 0
        self.server = self._victim = None
        self.sound = False
        "The last storm left the server as it should be; otherwise the next one gets a new server."

    async def ready(self):
        """Return a server with a victim room that earlier storms have not harmed."""
        if not self.sound:
            await self.stop()
            self._servers += 1
            self.server = Server(self._folder / f"server-{self._servers}")
            await self.server.start()
            self._victim = await Process.start("victim", self.server.url)
        self.sound = False
        return self

    async def stop(self):
        if self._victim is not None:
            await self._victim.stop()
        if self.server is not None:
            await self.server.stop()
        self.server = self._victim = None

    async def measure(self, during):
        """Await `during` while the victim room is measured; returns its result and the measurement."""
        self._victim.tell("begin")
        try:
            result = await during
        finally:
            self._victim.tell("end")
        return result, json.loads(await self._victim.line(30))

    async def storm(self, name, seconds=2.5):
        """Let the storm of that name (`module.function`) rage beside the victim room."""
        # What floods must not take the cores from those who measure: on two cores that would be the test's own doing.
        storm = await Process.start("storm", name, self.server.url, str(seconds), niceness=10)
        try:
            _, calm = await self.measure(asyncio.sleep(CALM_S))
            before, drops = self.server.usage(), await self.server.drops()
            log_before = self.server.log()
            storm.tell("go")
            (result, ready), stormy = await self.measure(self._raging(storm, seconds))
        finally:
            await storm.stop()
        after, dropped = self.server.usage(), await self.server.drops()
        outcome = Outcome(
            json.loads(result),
            calm,
            stormy,
            after.memory - before.memory,
            after.log - before.log,
            self.server.log()[len(log_before) :],
            {name: value - drops.get(name, 0) for name, value in dropped.items() if value > drops.get(name, 0)},
            ready,
        )
        outcome.check()
        self.sound = True
        return outcome

    async def _raging(self, storm, seconds):
        started = time.monotonic()
        line = asyncio.create_task(storm.line(seconds + 25))
        await asyncio.sleep(seconds / 2)
        ready = await self.server.get("/readyz")
        result = await line
        assert result, f"the storm broke off after {time.monotonic() - started:.1f} s"
        return result, ready
