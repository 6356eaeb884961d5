"""What is kept and told of what happened: the event log, webhooks, retention."""
