"""Starting a module of this project in a process of its own, with a socket to it."""

import asyncio
import socket
import sys


async def start(
    module: str, settings: str
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader, asyncio.StreamWriter]:
    """Run `python -m MODULE DESCRIPTOR SETTINGS`; return the process and the streams of a socket to it.

    The other end of the socket is the descriptor with that number. Modules in the current folder are not found, since
    whatever lies there would run as a part of the server. OSError if the process cannot be started.
    """
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            module,
            str(theirs.fileno()),
            settings,
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    return process, reader, writer
