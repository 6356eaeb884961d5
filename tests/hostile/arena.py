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
START_TIMEOUT_S = 60.0
# What the server may say of one storm: a line a second at most for each of a handful of causes.
LOG_OCTETS = 64 * 1024
# Buffers, caches and the allocator's arenas of the first storm. The faults that this is to find grew by 1,500 MB.
GROWTH_OCTETS = 48 << 20
P99_MS = 20.0
# Client processes share two cores with the server, and a calm room on a loaded machine has had a p99 of 15 ms. The
# bound is therefore the promised 20 ms or, where the machine itself is slower at that time, three times what the same
# room measured just before the storm. Delivery has no such allowance.
CALM_FACTOR = 3.0
CALM_S = 0.8
# No single input may hold the signalling loop for more than 50 ms; a probe may have some of them before it, and shares
# its core with whoever sends them.
SIGNALLING_MS = 250.0
PROBE_INTERVAL_S = 0.05


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

    signalling_ms: float = SIGNALLING_MS
    "How long a request to signalling may take."

    @property
    def in_time(self):
        """Whether the victim's media and everybody's signalling were as fast as promised."""
        stormy, calm = self.stormy, self.calm
        fast = stormy["received"] and stormy["p99_ms"] < max(P99_MS, CALM_FACTOR * calm["p99_ms"])
        return fast and stormy["signalling_ms"] < max(self.signalling_ms, CALM_FACTOR * calm["signalling_ms"])

    def check(self):
        """The bounds of every storm: victim, memory, log, readiness."""
        stormy, calm = self.stormy, self.calm
        figures = f"\ncalm {calm}\nstorm {stormy}\noffender {self.storm}\ndrops {self.drops}"
        assert "error" not in self.storm, figures
        assert stormy["ended"] == "", figures
        assert stormy["received"] == stormy["sent"] > 0, figures
        assert self.in_time, figures
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
    """`lectern serve` with one media worker, on loopback, and in development mode unless told otherwise."""

    def __init__(self, folder):
        self.folder, self.log_path = folder, folder / "log"
        self.process = None

    async def start(self, *options, descriptors=None, hard=False, dev=True, environment=None):
        """Serve; `descriptors` is the soft limit of open files, and the hard one as well with `hard`."""

        def limit():
            if descriptors is not None:
                highest = descriptors if hard else resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, highest))

        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("lectern"),
                *["serve", "--workers", "1", "--http-port", "0", "--udp-port", "0"],
                *(["--dev"] if dev else ["--host", "127.0.0.1"]),
                *["--data-dir", self.folder / "data", *options],
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                preexec_fn=limit,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
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
        self.server = self._victim = self._storm = None
        self._options = {}
        self.sound = False
        "The last storm left the server as it should be; otherwise the next one gets a new server."

    async def ready(self, **options):
        """Return a server, started with these options, with a victim room that earlier storms have not harmed."""
        if not self.sound or options != self._options:
            await self.stop()
            self._servers += 1
            self._options = options
            self.server = Server(self._folder / f"server-{self._servers}")
            await self.server.start(**options)
            # What floods must not take the cores from those who measure: on two cores that would be our own doing.
            self._victim, self._storm = await asyncio.gather(
                Process.start("victim", self.server.url),
                Process.start("storm", self.server.url, niceness=10),
            )
        self.sound = False
        return self

    async def stop(self):
        for process in (self._victim, self._storm, self.server):
            if process is not None:
                await process.stop()
        self.server = self._victim = self._storm = None

    async def measure(self, during):
        """Await `during` while the victim room is measured; returns its result and the measurement."""
        self._victim.tell("begin")
        probes = []
        probing = asyncio.create_task(self._probe(probes))
        try:
            result = await during
        finally:
            # a probe that is still under way took at least until now
            probing.cancel()
            self._victim.tell("end")
        measured = json.loads(await self._victim.line(30))
        return result, {**measured, "signalling_ms": max(probes, default=0.0)}

    async def _probe(self, probes):
        async with aiohttp.ClientSession() as http:
            while True:
                started = time.monotonic()
                try:
                    async with http.get(f"{self.server.url}/healthz") as answer:
                        await answer.read()
                except aiohttp.ClientError:
                    pass  # how long it took counts all the same
                finally:
                    probes.append(1000 * (time.monotonic() - started))
                await asyncio.sleep(PROBE_INTERVAL_S)

    async def storm(self, name, seconds=1.5, signalling_ms=SIGNALLING_MS):
        """Let the storm of that name (`module.function`) rage beside the victim room, and check the common bounds.

        Times are measured a second time if they are too long: what another process of this machine does passes, a
        fault does not.
        """
        outcome = await self._storm_once(name, seconds, signalling_ms)
        if not outcome.in_time and outcome.stormy["received"] == outcome.stormy["sent"]:
            outcome = await self._storm_once(name, seconds, signalling_ms)
        outcome.check()
        self.sound = True
        return outcome

    async def _storm_once(self, name, seconds, signalling_ms):
        self._storm.tell(f"{name} {seconds}")
        assert await self._storm.line(40) == "ready", f"{name} was not prepared"
        _, calm = await self.measure(asyncio.sleep(CALM_S))
        before, drops, log_before = self.server.usage(), await self.server.drops(), self.server.log()
        self._storm.tell("go")
        (result, ready), stormy = await self.measure(self._raging(seconds))
        after, dropped = self.server.usage(), await self.server.drops()
        return Outcome(
            json.loads(result),
            calm,
            stormy,
            after.memory - before.memory,
            after.log - before.log,
            self.server.log()[len(log_before) :],
            {
                name: value - drops.get(name, 0)
                for name, value in dropped.items()
                if value > drops.get(name, 0)
            },
            ready,
            signalling_ms,
        )

    async def _raging(self, seconds):
        started = time.monotonic()
        line = asyncio.create_task(self._storm.line(seconds + 25))
        await asyncio.sleep(seconds / 2)
        ready = await self.server.get("/readyz")
        result = await line
        assert result, f"the storm broke off after {time.monotonic() - started:.1f} s"
        return result, ready
