"""From packets to the frames of a track, placed in time."""
