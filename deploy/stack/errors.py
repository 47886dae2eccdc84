"""What can go wrong while starting, said so that the reader knows what to do."""


class Trouble(Exception):
    """A step failed; the message names the step and the way out. Shown without a traceback."""


class Stopped(Exception):
    """The manager was asked to stop."""
