"""The HTTP server and what every API on it shares."""
