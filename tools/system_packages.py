"""Installs the Debian packages that the tests use, or prints the command for it.

Browsers, coturn and PostgreSQL belong to the system, not to the virtual environment. Without them, the tests that need
them are skipped with a reason, so a missing package alone never fails the run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Program that has to be on PATH, and the package that contains it.
PACKAGES = {
    "chromium": "chromium",  # the browser of the end-to-end tests
    "firefox-esr": "firefox-esr",  # the second browser engine
    "turnserver": "coturn",  # the relay, with the configuration rendered here
    "pg_ctlcluster": "postgresql",  # the server that tests of the store start
    "nft": "nftables",  # the packet filter beside coturn
    "tesseract": "tesseract-ocr",  # reads the slides that a student on a weak link sees
    "espeak-ng": "espeak-ng",  # speaks the texts that are transcribed
    "ip": "iproute2",  # network namespaces for the tests of that filter
}


def main() -> int:
    """Install the missing packages; the exit code is always 0."""
    missing = sorted(package for program, package in PACKAGES.items() if not find(program))
    if not missing:
        return 0
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"Tests that need {', '.join(missing)} will be skipped. On Debian: sudo {' '.join(command)}")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update"], env=environment, check=False)
    # One by one: on a system that lacks one of them (Ubuntu has no firefox-esr), the others are still installed.
    for package in missing:
        if subprocess.run([*command[: -len(missing)], package], env=environment, check=False).returncode:
            print(f"{package} could not be installed; tests that need it will be skipped", file=sys.stderr)
    for service in sorted({"coturn", "postgresql"} & set(missing)):
        leave_stopped(service, environment)
    return 0


def leave_stopped(service: str, environment: dict[str, str]) -> None:
    """Stop and disable a service that Debian has started on installation: the tests run their own."""
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "disable", "--now", service], env=environment, check=False)


def find(program: str) -> str | None:
    """Return the program's path; some live in sbin, which is not on every user's PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


if __name__ == "__main__":
    sys.exit(main())
