"""What a subscriber is sent, by its bandwidth and its codecs."""
