"""One received packet becomes one row for each subscriber, by vector operations over columns."""
