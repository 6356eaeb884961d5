"""The sending side: which layer a subscriber gets, and under which numbers."""
