"""Rooms, people, permissions, and the APIs in front of them; the command line that starts it all."""
