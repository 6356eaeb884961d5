"""Sockets, clocks and processes: the parts of the media engine that do I/O."""
