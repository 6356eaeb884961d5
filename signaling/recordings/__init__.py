"""Recordings of rooms: which tracks are recorded, their rows in the database, and their files."""
