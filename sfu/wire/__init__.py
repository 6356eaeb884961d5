"""Wire formats, read in place and written: RTP, RTCP, payload headers, SDP, SCTP."""
