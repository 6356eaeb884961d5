"""Mail to people with accounts: messages, and how they are sent."""
