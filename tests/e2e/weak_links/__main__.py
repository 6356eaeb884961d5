"""`python -m tests.e2e.weak_links [RUN or LEG ...]`: the long form, whose table goes into bench/README.md."""

import argparse
import asyncio
import pickle
import sys
import tempfile
from pathlib import Path

from tests.e2e import netsim
from tests.e2e.weak_links import reading
from tests.e2e.weak_links.figures import figures
from tests.e2e.weak_links.legs import LEGS, RUNS
from tests.e2e.weak_links.lesson import Record, lesson


async def _go_through(names: list[str]) -> tuple[list[Record], dict]:
    records = []
    second, crowd = any(LEGS[name].second for name in names), max(LEGS[name].crowd for name in names)
    with tempfile.TemporaryDirectory() as folder:
        async with lesson(Path(folder), second=second, crowd=crowd) as held:
            await asyncio.sleep(4)  # until the free link's layers are the best there are
            for name in names:
                records.append(await held.go_through(LEGS[name]))
                sys.stderr.write(f"{name}: {100 * records[-1].idle:.0f} % idle\n")
            return records, held.originals


def _lessons(names: list[str]) -> list[list[str]]:
    """Return the legs of each lesson: each run is one, and so are the legs that are named by themselves."""
    alone = [name for name in names if name not in RUNS]
    return [list(RUNS[name]) for name in names if name in RUNS] + ([alone] if alone else [])


def main() -> None:
    """Run, or read what an earlier run kept, and print the figures of each leg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"runs ({', '.join(RUNS)}) or legs ({', '.join(LEGS)})")
    parser.add_argument("--keep", type=Path, help="file for what was recorded; read when no name is given")
    parser.add_argument(
        "--only-record", action="store_true", help="read later, with nothing else on the machine"
    )
    arguments = parser.parse_args()
    missing = netsim.missing() or reading.missing()
    if missing:
        sys.exit(missing)
    if arguments.keep is not None and not arguments.names:
        records, originals = pickle.loads(arguments.keep.read_bytes())
    else:
        records, originals = [], {}
        for names in _lessons(arguments.names or list(RUNS)):
            more, slides = asyncio.run(_go_through(names))
            records += more
            originals |= slides
        if arguments.keep is not None:
            arguments.keep.write_bytes(pickle.dumps((records, originals)))
    for record in () if arguments.only_record else records:
        for each in (record, record.second):
            if each is not None:
                sys.stdout.write(f"{figures(each, originals)}\n")


if __name__ == "__main__":
    main()
