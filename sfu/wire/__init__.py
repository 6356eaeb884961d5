"""Parsers and writers of wire formats: RTP, RTCP, payload headers, SDP, SCTP."""
