"""LiveKit's client protocol: one front end of the domain."""
