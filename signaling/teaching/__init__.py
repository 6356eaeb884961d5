"""Teaching sessions at run time: `classroom` decides, the store remembers, rooms carry the media."""
