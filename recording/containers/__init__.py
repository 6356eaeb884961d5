"""Files as values: fragments in WebM and MP4, segments, their index, and how to find them again."""
