"""C code of the benchmarks, compiled when it is first used."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cffi
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

COMPILER = shlex.split(os.environ.get("CC", "cc"))


def load(header: Path, *sources: Path, includes: tuple[Path, ...] = ()) -> tuple[Any, Any]:
    """Return cffi's interface to the declarations of `header`, and the library that `sources` make. OSError."""
    ffi = cffi.FFI()
    ffi.cdef(header.read_text())
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, f"{header.stem}.so")
        command = [*COMPILER, "-std=gnu11", "-O2", "-shared", "-fPIC", *(f"-I{each}" for each in includes)]
        command += [*map(str, sources), "-lm", "-pthread", "-o", str(library)]
        subprocess.run(command, check=True)
        return ffi, ffi.dlopen(str(library))


def srtp_function(name: str) -> int:
    """Return the address of a function of libsrtp."""
    return int(srtp_ffi.cast("uintptr_t", srtp_ffi.addressof(srtp_lib, name)))
