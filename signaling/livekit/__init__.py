"""LiveKit's client protocol: one skin of the domain."""
