"""Speech of recordings to text, in a child process."""
