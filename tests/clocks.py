"""A clock for tests of what a person sees while time goes by."""


class Clock:
    """Seconds that the test advances."""

    now = 100.0

    def __call__(self) -> float:
        return self.now
