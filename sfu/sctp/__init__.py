"""SCTP associations and data channels, without I/O (RFC 9260, 3758, 6525, 8831, 8832)."""
