"""The receiving side of a stream: numbers, history, losses, feedback, rates."""
