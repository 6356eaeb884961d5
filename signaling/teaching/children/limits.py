"""The limits that a child process sets for itself before it decodes anything; the module imports next to nothing."""

import resource


def limit_resources(cpu_s: int, memory_bytes: int, file_bytes: int | None = None) -> None:
    """Let the kernel end this process when it uses more CPU time or memory, or writes a larger file; no core dumps."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
