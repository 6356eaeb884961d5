"""Sockets, clocks, processes: everything of the media engine that does I/O."""
