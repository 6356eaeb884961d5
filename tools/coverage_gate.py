"""Check that the tests reach nearly every line and branch of each module that `[tool.coverage.run]` names.

Usage: coverage_gate.py REPORT, the JSON report of coverage.py. Exits with 1, and names the modules, when one of them
is below the limit: a total would let a new module without tests hide behind the others.
"""

import json
import sys
from pathlib import Path

MINIMUM_PERCENT = 95.0


def main(report: Path) -> int:
    """Print the modules below the limit, or the least covered one; return the exit status."""
    files = json.loads(report.read_text())["files"]
    if not files:
        print("coverage: the report names no module", file=sys.stderr)
        return 1
    shares = sorted((entry["summary"]["percent_covered"], name) for name, entry in files.items())
    below = [(percent, name) for percent, name in shares if percent < MINIMUM_PERCENT]
    for percent, name in below:
        print(
            f"coverage: {name}: {percent:.1f} % of lines and branches, not {MINIMUM_PERCENT:.0f} %",
            file=sys.stderr,
        )
    if not below:
        print(f"coverage: {len(shares)} modules, the least covered {shares[0][1]} with {shares[0][0]:.1f} %")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
