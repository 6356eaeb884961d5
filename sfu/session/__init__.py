"""The session of a peer: ICE, and the negotiation of its media sections."""
