"""Bandwidth estimation for one downstream path, and its allocation among the subscriber's videos."""
