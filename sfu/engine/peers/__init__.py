"""The state of one peer connection: its link, what it publishes and what it subscribes to."""
