"""File descriptors: the limit that the system allows, and the part of it for connections."""

import logging
import resource
from pathlib import Path

log = logging.getLogger(__name__)

# The soft limit is raised to the hard one, but no further: more connections than this need another machine anyway.
MOST = 65_536

# For the database, webhooks, media sockets, pipes to workers and files that are being served. On a machine with a
# lower limit, a quarter of it.
RESERVED = 256

# With fewer connections a server is of no use, so this many are allowed whatever the limit.
LEAST_CONNECTIONS = 8

_OPEN_FILES = Path("/proc/self/fd")


def raise_limit() -> int:
    """Raise the soft limit of open files to the hard limit, and return the result."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError) as error:
            log.warning("the limit of open files stays at %d: %s", soft, error)
    return limit()


def limit() -> int:
    """Return the soft limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(soft, MOST)


def connection_budget(most_files: int, open_files: int) -> int:
    """Return how many connections there may be, with a reserve left for everything else."""
    reserved = min(RESERVED, most_files // 4)
    return max(most_files - open_files - reserved, LEAST_CONNECTIONS)


def open_files() -> int:
    """Return how many descriptors are open now."""
    try:
        return sum(1 for _ in _OPEN_FILES.iterdir())
    except OSError:
        return 0  # without /proc, the reserve has to do
