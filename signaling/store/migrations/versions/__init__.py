"""One module per migration, ordered by number; a released migration is never edited."""
