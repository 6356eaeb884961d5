"""Builds the native data plane, `sfu/dataplane/_plane.abi3.so`, if there is a C compiler and Python's headers.

It is optional: without it the server does the same in Python. Exit code 0 if it was built, 1 with the reason if it was
not.
"""

import contextlib
import hashlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cffi

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "sfu" / "dataplane"
# In the order in which cffi reads them.
DECLARATIONS = (FOLDER / "send.h", FOLDER / "plane.h")
SOURCES = sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h")))
# The limited API of the interpreter: one module for all versions of Python.
NAME = "_plane.abi3.so"


class BuildError(Exception):
    """The data plane cannot be built on this machine; the message has the reason."""


class CompileError(BuildError):
    """The compiler ran and failed."""


def build(folder: Path, flags: Sequence[str] = ("-O2",)) -> Path:
    """Compile the module into `folder`. BuildError if something is missing; CompileError if the compiler fails."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(compiler[0]) is None:
        raise BuildError(f"there is no C compiler ({compiler[0]})")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise BuildError("Python's headers are missing (Debian: python3-dev)")
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
        include = [
            f"-I{folder}"
            for folder in (FOLDER, sysconfig.get_path("include"), sysconfig.get_path("platinclude"))
        ]
        command = [*compiler, "-std=gnu11", "-shared", "-fPIC", "-pthread", *flags, *include, *code_files]
        command += [str(code), "-lm", "-o", str(module)]
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
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
