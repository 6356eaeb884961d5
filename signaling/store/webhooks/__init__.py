"""Addresses that webhooks are sent to, and the deliveries that wait for each."""
