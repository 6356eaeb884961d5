"""The native data plane: a thread that forwards packets by tables, without the interpreter."""
