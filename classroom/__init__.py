"""The rules of a teaching session as pure functions: commands in, events out, state from the events alone."""
