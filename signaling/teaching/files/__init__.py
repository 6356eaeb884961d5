"""Files of a session: content types, storage, and slides."""
