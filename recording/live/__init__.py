"""Packets of a tap for a process that uses them while people speak, instead of a recording."""
