"""Bytes of a session's files: what they are, where they are kept, and the slides that are made of them."""
