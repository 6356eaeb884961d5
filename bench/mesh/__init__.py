"""Rooms in which everybody sends to everybody, with clients in C that take a part of a core."""
