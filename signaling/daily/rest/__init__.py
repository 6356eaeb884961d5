"""The calls of Daily's REST API."""
