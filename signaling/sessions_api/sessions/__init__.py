"""The routes of sessions: lifecycle, features, attendance, events."""
