"""The long form: `python -m tests.fuzz [TARGET...] [--seconds 60 | --inputs N] [--seed N]`."""

import argparse
import os
import random
import sys

from tests.fuzz.harness import run
from tests.fuzz.targets import names, target


def main() -> int:
    """Run the targets named, or all; 1 when one of them is outside its bounds."""
    parser = argparse.ArgumentParser(
        prog="make fuzz ARGS=...", description="Fuzz the parsers of network input."
    )
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(names())}; all without one"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="time for each target (default: 60)")
    parser.add_argument("--inputs", type=int, help="inputs for each target, instead of a time")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1 << 32), help="makes the same inputs again"
    )
    options = parser.parse_args()
    faults = 0
    for name in options.targets or names():
        amount = {"inputs": options.inputs} if options.inputs else {"seconds": options.seconds}
        report = run(name, target(name), seed=options.seed, **amount)
        print(report, flush=True)
        for fault in report.faults():
            faults += 1
            print(f"  {fault}", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Loops and sockets of the targets end with the process; to close them one by one would be as long as the targets.
    os._exit(code)
