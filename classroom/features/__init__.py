"""The features of a session, one module each, all of one shape: commands, events, state, decide, apply, view."""
