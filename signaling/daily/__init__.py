"""Daily's REST API, meeting tokens, room rules and webhooks: one front end of the domain."""
