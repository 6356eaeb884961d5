"""One run of a load: its processes of clients, its stages, and its result so far."""

import itertools
import threading
import time
from collections.abc import Callable

import psutil

from bench.load.media import Report
from bench.load.plan import Plan
from bench.load.pool import ClientError, Process, ProcessEndedError
from bench.load.report import Result, Sample
from bench.load.visit import Seat

WARM_UP_S = 2.0
SAMPLE_INTERVAL_S = 1.0
POLL_S = 0.01


class _GivenUpError(Exception):
    """The run was ended early."""


class Run:
    """Receives the users' reports, goes through the stages, and counts."""

    def __init__(self, plan: Plan) -> None:
        """Start the processes of clients."""
        self.plan = plan
        self.result = Result()
        self.publishing = 0
        "Number of publishers that send media."
        self.viewers = plan.seated
        "Number of viewers that locust is to run, once all publishers send."
        self.done = threading.Event()
        self.error = ""
        "Why the load failed."
        self._numbers = {True: itertools.count(), False: itertools.count()}
        self._began_at = time.monotonic()
        self._first_join_at = self._last_join_at = 0.0
        self._publishers = Process()
        self._viewers = [Process() for _ in range(plan.media_processes)]

    def close(self) -> None:
        """End the processes of clients."""
        for process in (self._publishers, *self._viewers):
            process.stop()

    # --- reports of users ------------------------------------------------------------------------------------------

    def seat(self, *, publish: bool) -> Seat:
        """Return the next participant."""
        number = next(self._numbers[publish])
        process = self._publishers if publish else self._viewers[number % len(self._viewers)]
        mesh = self.plan.mesh
        return Seat(number, self.plan.room(number), process, publish or mesh, view=not publish or mesh)

    @property
    def may_join(self) -> bool:
        """Whether another viewer may join."""
        return not self.plan.joins or self._attempts < self.plan.joins

    def joined(self, began_at: float, connected_at: float, first_media_at: float) -> None:
        """Record that a viewer has joined and receives media."""
        self._first_join_at = min(self._first_join_at or began_at, began_at)
        self._last_join_at = max(self._last_join_at, connected_at)
        self.result.joined += 1
        self.result.join_s.append(connected_at - began_at)
        self.result.first_media_s.append(first_media_at - began_at)

    def fail(self, reason: str) -> None:
        """End the run, since the load has failed."""
        self.error = self.error or reason
        self.done.set()

    # --- the stages ------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Wait for publishers and viewers, count during the window, and end the run."""
        threading.Thread(target=self._sample, daemon=True).start()
        try:
            self._until(lambda: self.publishing == self.plan.publishers)
            self._until(lambda: self._attempts >= self.plan.seated)
            self.result.ramp_s = self._last_join_at - self._first_join_at
            self.done.wait(WARM_UP_S)
            self._window()
        except (_GivenUpError, ClientError, ProcessEndedError, psutil.Error) as error:
            self.fail(str(error))
        self.done.set()

    def _window(self) -> None:
        plan, result = self.plan, self.result
        first = self._look()
        processes = (self._publishers, *self._viewers)
        sent = sum(process.start_window().sent for process in processes)
        if plan.joins:
            self._until(lambda: self._attempts >= plan.joins)
        elif plan.newcomers:
            self.viewers = plan.seated + plan.newcomers
            self._until(lambda: self._attempts >= self.viewers)
        else:
            self.done.wait(plan.duration)
        last = self._look()
        for count in [process.report() for process in processes]:
            result.sent += count.sent
            for room, report in count.media.items():
                result.media.setdefault(room, Report()).add(report)
        result.sent -= sent
        if not (plan.stay or plan.newcomers):
            result.missing = plan.streams - result.total.streams
        result.window, result.window_s = [first, last], last.at - first.at

    def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            if self.done.wait(POLL_S):
                raise _GivenUpError(self.error)

    @property
    def _attempts(self) -> int:
        """The number of viewers' joins that have succeeded or failed."""
        return self.result.joined + len(self.result.failed)

    def _sample(self) -> None:
        while not self.done.is_set():
            try:
                self.result.samples.append(self._look())
            except psutil.Error as error:
                self.fail(str(error))
            self.done.wait(SAMPLE_INTERVAL_S)

    def _look(self) -> Sample:
        """Take a sample of the server. psutil.Error if there is no process with its id."""
        sample = Sample(time.monotonic() - self._began_at, self.result.joined)
        if not self.plan.pid:
            return sample
        cpu_s, rss, descriptors = 0.0, 0, 0
        root = psutil.Process(self.plan.pid)
        for process in (root, *root.children(recursive=True)):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_s += times.user + times.system
                    rss += process.memory_info().rss
                    descriptors += process.num_fds()
            except psutil.NoSuchProcess:
                continue  # a worker that ended meanwhile
        return Sample(sample.at, sample.joins, cpu_s, rss, descriptors)
