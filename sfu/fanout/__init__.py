"""Fan-out: one received packet becomes one row per subscriber, by vector operations over columns."""
