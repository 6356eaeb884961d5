"""LiveKit's messages: bytes to values and back, their bounds, and the domain's values as messages."""
