"""Recording: from the packets of a tap to files that browsers play and seek."""
