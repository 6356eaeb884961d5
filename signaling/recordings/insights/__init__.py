"""What a recording's transcript and log say about its content: pure functions."""
