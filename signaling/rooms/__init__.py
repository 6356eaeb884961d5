"""The domain: rooms, participants, tracks, permissions."""
