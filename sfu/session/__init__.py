"""What a peer and the server agreed on: ICE credentials, sections of the description."""
