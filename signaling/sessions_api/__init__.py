"""The REST API of teaching sessions and of the school around them, `/api/v1`."""
