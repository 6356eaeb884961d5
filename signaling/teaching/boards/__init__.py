"""Whiteboards: the updates of a page are merged into a snapshot before there are too many."""
