"""Peers and publications, and what happens to each packet and report between them."""
