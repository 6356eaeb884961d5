"""Stored data about people: audit log, export and erasure, retention."""
