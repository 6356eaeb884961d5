"""Recordings on the disk: written, and read."""
