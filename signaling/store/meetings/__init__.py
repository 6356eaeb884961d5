"""Past meetings of rooms: the log of what happened, and the meetings, stays and recordings derived from it."""
