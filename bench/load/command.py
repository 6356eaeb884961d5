"""Running a load: `load(plan)` runs locust in a process of its own and returns the result."""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.load.plan import Plan
from bench.load.report import Result, read

ROOT = Path(__file__).resolve().parent.parent.parent
LOCUST = (sys.executable, "-m", "locust", "-f", "bench/locustfile.py", "--headless", "--only-summary")
# Time of a run besides its window: the start of locust, the ramp, and an orderly end.
EXTRA_S = 120.0


class LoadError(Exception):
    """The load failed; the message says why."""


def load(plan: Plan) -> Result:
    """Run a load. LoadError."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*LOCUST, "--loglevel", "ERROR", *replace(plan, out=folder).options()]
        ran = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=plan.duration + EXTRA_S + plan.seated / plan.joins_per_s,
            check=False,
        )
        if not (Path(folder) / "report.json").exists():
            reasons = [line for line in ran.stderr.splitlines() if line.startswith("no load: ")]
            raise LoadError(reasons[-1].removeprefix("no load: ") if reasons else ran.stderr)
        return read(Path(folder))
