"""Stops the interpreter of a process, but not the other threads of that process.

A process of its own does so, since its tracer alone is told of the stop: the parent would take it for an end.
"""

import contextlib
import ctypes
import os
import subprocess
import sys

_SEIZE, _INTERRUPT, _DETACH, _WALL = 0x4206, 0x4207, 17, 0x40000000


@contextlib.contextmanager
def stalled(pid):
    """Stop the main thread of a process until the end of the block."""
    with subprocess.Popen(
        [sys.executable, __file__, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tracer:
        assert tracer.stdout.readline() == b"stopped\n"
        try:
            yield
        finally:
            tracer.stdin.close()


def _trace(libc, request, thread):
    if libc.ptrace(request, thread, None, None) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _main(pid):
    """Stop the thread with ptrace(2) until the standard input ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    _trace(libc, _SEIZE, pid)
    _trace(libc, _INTERRUPT, pid)
    os.waitpid(pid, _WALL)
    sys.stdout.write("stopped\n")
    sys.stdout.flush()
    sys.stdin.read()
    _trace(libc, _DETACH, pid)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
