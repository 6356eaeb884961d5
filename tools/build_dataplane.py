"""Builds the native data plane, `sfu/dataplane/_plane.abi3.so`.

The machine's C compiler does it, where that and Python's headers exist. Otherwise Zig's does, if the package
`ziglang` is installed beside this program, as in the isolated environments that `tools/setup.py` and `tools/wheel.py`
ask for. Zig needs no headers of Python (`limited_api/Python.h` has what the binding uses) and compiles for other
processors too.

The module is optional: without it the server does the same in Python. Exit code 0 if it was built, 1 with the reason if
the build failed, 3 if there is no compiler.
"""

import contextlib
import hashlib
import importlib.util
import io
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cffi

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "sfu" / "dataplane"
# In the order in which cffi reads them.
DECLARATIONS = (FOLDER / "send.h", FOLDER / "plane.h")
SOURCES = sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h")))
# The limited API of the interpreter: one module for all versions of Python.
NAME = "_plane.abi3.so"
LIMITED_API = Path(__file__).resolve().parent / "limited_api"
# The oldest Python that the project supports, as Py_LIMITED_API has it.
OLDEST_PYTHON = (3, 11)

# The processors that Zig compiles for; its packages exist for the same ones.
MACHINES = ("x86_64", "aarch64")
# Pinned, since each release of Zig may change what it accepts; as in the group `zig` of pyproject.toml.
ZIG = "ziglang==0.17.1"
# The oldest glibc that the module runs with; most dependencies need a later one.
GLIBC = "2.17"

EXIT_FAILED, EXIT_NO_COMPILER = 1, 3


class BuildError(Exception):
    """The data plane cannot be built on this machine; the message has the reason."""


class NoCompilerError(BuildError):
    """There is no compiler, or no header that it needs."""


class CompileError(BuildError):
    """The compiler ran and failed."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A command that compiles C, the folders of Python's headers, and the tag of a wheel with what it makes."""

    command: tuple[str, ...]
    includes: tuple[str, ...]
    tag: str


def find_compiler(machine: str = "") -> Compiler:
    """Return the compiler for this machine, or Zig's for a named one of `MACHINES`. NoCompilerError."""
    if machine:
        return _zig(machine)
    try:
        return _own_compiler()
    except NoCompilerError:
        if platform.machine() in MACHINES and importlib.util.find_spec("ziglang") is not None:
            return _zig(platform.machine())
        raise


def _own_compiler() -> Compiler:
    command = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(command[0]) is None:
        raise NoCompilerError(f"there is no C compiler ({command[0]})")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise NoCompilerError("Python's headers are missing (Debian: python3-dev)")
    includes = (sysconfig.get_path("include"), sysconfig.get_path("platinclude"))
    # the limited API of the Python version that builds the module, and of all later versions
    name = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return Compiler(
        tuple(command), includes, f"cp{sys.version_info.major}{sys.version_info.minor}-abi3-{name}"
    )


def _zig(machine: str) -> Compiler:
    if importlib.util.find_spec("ziglang") is None:
        raise NoCompilerError("the package ziglang is missing")
    if machine not in MACHINES:
        raise NoCompilerError(f"Zig is not set up for {machine}: one of {', '.join(MACHINES)}")
    musl = machine == platform.machine() and platform.libc_ver()[0] != "glibc"
    libc = "musl" if musl else f"gnu.{GLIBC}"
    version = "0x{:02x}{:02x}0000".format(*OLDEST_PYTHON)
    command = (sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-{libc}")
    system = "musllinux_1_2" if musl else f"manylinux_{GLIBC.replace('.', '_')}"
    tag = "cp{}{}-abi3-{}_{}".format(*OLDEST_PYTHON, system, machine)
    return Compiler((*command, f"-DPy_LIMITED_API={version}", "-s"), (str(LIMITED_API),), tag)


def build(folder: Path, flags: Sequence[str] = ("-O2",), *, compiler: Compiler | None = None) -> Path:
    """Compile the module into `folder`. NoCompilerError; CompileError if the compiler fails."""
    compiler = compiler or find_compiler()
    ffi = cffi.FFI()
    ffi.cdef("".join(header.read_text() for header in DECLARATIONS))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()
    includes = "".join(f'#include "{header.name}"\n' for header in DECLARATIONS)
    ffi.set_source("sfu.dataplane._plane", f'{includes}const char SOURCE_DIGEST[] = "{digest}";\n')
    code_files = [str(source) for source in SOURCES if source.suffix == ".c"]
    with tempfile.TemporaryDirectory() as temporary:
        code, module = Path(temporary, "binding.c"), Path(temporary, NAME)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its steps
            ffi.emit_c_code(str(code))
        include = [f"-I{folder}" for folder in (FOLDER, *compiler.includes)]
        command = [*compiler.command, "-std=gnu11", "-shared", "-fPIC", "-pthread", *flags, *include]
        command += [*code_files, str(code), "-lm", "-o", str(module)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            wrong = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
            raise CompileError(f"the C compiler failed: {wrong.strip()}")
        folder.mkdir(parents=True, exist_ok=True)
        # replaced as a whole: a running server may have the old one open
        shutil.copy(module, folder / f"{NAME}.new")
        return (folder / f"{NAME}.new").replace(folder / NAME)


def main() -> int:
    """Build the data plane into the checkout."""
    try:
        build(FOLDER)
    except (BuildError, OSError) as error:
        print(f"the native data plane was not built: {error}", file=sys.stderr)
        return EXIT_NO_COMPILER if isinstance(error, NoCompilerError) else EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
