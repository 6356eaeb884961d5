"""Daily's REST API, meeting tokens, room rules and webhooks: one skin of the domain."""
