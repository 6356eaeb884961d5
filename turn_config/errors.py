"""The one error of this package."""


class TurnConfigError(ValueError):
    """A TURN setting that cannot be used; the message says which one and why, and quotes no secret."""
