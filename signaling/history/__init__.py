"""The event log, webhooks and retention."""
