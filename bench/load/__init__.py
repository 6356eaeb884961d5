"""A load for any LiveKit server: users, media clients, plan and report."""
