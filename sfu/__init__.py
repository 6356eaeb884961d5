"""The media engine: packets in, packets out. It knows no HTTP, no storage and no application protocol."""
