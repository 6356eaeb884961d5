"""Transcripts of recordings: made by a child process, stored as files, searched."""
