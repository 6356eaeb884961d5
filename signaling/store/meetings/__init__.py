"""Meetings of rooms: the event log, and the meetings, attendance and recordings derived from it."""
