"""LiveKit's signalling connections: what outlives a WebSocket, and what each one is sent."""
