"""The routes of sessions: their life, what happens in them, who was there, their events."""
