"""How much a path carries, and how that is shared between the videos of one subscriber."""
