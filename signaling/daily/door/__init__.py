"""Admission through the page of a Daily room."""
