"""Load for a LiveKit server: `python -m locust -f bench/locustfile.py --headless --host ws://HOST:7880 --rooms 2`.

Each locust user is one participant: it joins, stays and leaves by the real protocol, and a separate process of clients
(`bench.load.pool`) sends and receives its media. `Ramp` sets the number of users; `bench.load.plan` has the options.
"""

import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from locust import LoadTestShape, User, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import LocalRunner

from bench.load.plan import Plan, add_options, read_options
from bench.load.pool import ClientError, ProcessEndedError
from bench.load.report import write
from bench.load.run import Run
from bench.load.session import SessionError
from bench.load.visit import Visit

RETRY_S = 0.2
PARKED_S = 1.0
# Locust itself uses 1, for failed users.
EXIT_NO_LOAD = 2


@dataclass(slots=True)
class Current:
    """The state shared by locust's users, shape and listeners."""

    plan: Plan
    run: Run | None = None


current = Current(Plan(""))


class Participant(User):
    """A participant, which returns at once when the server ends a visit."""

    abstract = True
    publish = False

    def on_start(self) -> None:
        """Create the participant."""
        assert current.run is not None
        self.run_ = current.run
        self.seat = self.run_.seat(publish=self.publish)

    @task
    def attend(self) -> None:
        """Make one visit."""
        if not self.may_join():
            time.sleep(PARKED_S)
            return
        try:
            visit = Visit(self.run_.plan, self.seat)
            try:
                self.visit(visit)
            finally:
                visit.leave()
        except ProcessEndedError as error:
            self.run_.fail(str(error))
            raise StopUser from error

    def may_join(self) -> bool:
        """Whether the participant has anything left to do."""
        return True

    def visit(self, visit: Visit) -> None:
        """Do what this kind of participant does during a visit."""
        raise NotImplementedError

    def note(self, name: str, took_s: float, error: Exception | None = None) -> None:
        """Report a duration to locust."""
        self.environment.events.request.fire(
            request_type=type(self).__name__,
            name=name,
            response_time=took_s * 1e3,
            response_length=0,
            exception=error,
        )


class Publisher(Participant):
    """Sends the one track of a room."""

    publish = True

    def visit(self, visit: Visit) -> None:
        """Publish until the end."""
        try:
            visit.join()
        except (SessionError, ClientError) as error:
            if not self.seat.was_sent_away:
                self.run_.fail(f"a publisher: {error}")
                raise StopUser from error
            time.sleep(RETRY_S)
            return
        self.note("join", visit.connected_at - visit.began_at)
        self.run_.publishing += 1
        visit.stay(0)
        self.run_.result.dropped += 1


class Viewer(Participant):
    """Receives the track of its room."""

    def on_start(self) -> None:
        """Create the viewer after a delay: locust starts all users of a second at once."""
        super().on_start()
        joins_per_s = self.run_.plan.joins_per_s
        time.sleep(self.seat.number % max(1, int(joins_per_s)) / joins_per_s)

    def may_join(self) -> bool:
        """Return False once all requested joins are done."""
        return self.run_.may_join

    def visit(self, visit: Visit) -> None:
        """Join, receive media, and stay for the planned time."""
        run, seat = self.run_, self.seat
        try:
            visit.join()
            first_media_at = visit.first_media()
        except (SessionError, ClientError) as error:
            self.note("join", time.monotonic() - visit.began_at, error)
            if not seat.silent_since:
                run.result.failed.append(str(error))
                if not run.plan.stay:
                    raise StopUser from error
            time.sleep(RETRY_S)
            return
        self.note("join", visit.connected_at - visit.began_at)
        self.note("first packet", first_media_at - visit.began_at)
        if seat.silent_since:
            run.result.outages_s.append(first_media_at - seat.silent_since)
            seat.silent_since = 0.0
        else:
            run.joined(visit.began_at, visit.connected_at, first_media_at)
        if visit.stay(run.plan.stay):
            run.result.dropped += 1


class Ramp(LoadTestShape):
    """The number of users: first the publishers, then also the viewers, then those that join during the window."""

    def tick(self) -> tuple[int, float, list[type[User]]] | None:
        """Return the number of users; called by locust every second; None ends the run."""
        plan, run = current.plan, current.run
        publishers = plan.publishers
        if publishers and (run is None or (run.publishing < publishers and not run.done.is_set())):
            return publishers, publishers, [Publisher]
        if run is not None and run.done.is_set():
            return None
        viewers = plan.seated if run is None else run.viewers
        return publishers + viewers, plan.joins_per_s, [Publisher, Viewer] if publishers else [Viewer]


@events.init_command_line_parser.add_listener
def _options(parser: LocustArgumentParser, **_: Any) -> None:
    add_options(parser)


@events.init.add_listener
def _begin(environment: Environment, **_: Any) -> None:
    try:
        assert environment.parsed_options is not None
        current.plan = read_options(environment.parsed_options)
    except ValueError as error:
        sys.exit(f"no load: {error}")
    if not isinstance(environment.runner, LocalRunner):
        sys.exit("no load: it does not support distributed locust; use --media-processes for more cores")
    Publisher.fixed_count = current.plan.publishers


@events.test_start.add_listener
def _start(**_: Any) -> None:
    current.run = Run(current.plan)
    threading.Thread(target=current.run.go, daemon=True).start()


@events.test_stop.add_listener
def _stop(environment: Environment, **_: Any) -> None:
    run = current.run
    assert run is not None
    run.close()
    if run.error or not run.result.window:
        print(f"no load: {run.error or 'stopped before the end'}", file=sys.stderr)
        environment.process_exit_code = EXIT_NO_LOAD
        return
    write(run.plan, run.result)
    environment.process_exit_code = 0 if run.result.is_good else 1
