"""Routes of recordings: start and stop, consent, downloads, films, replay."""
