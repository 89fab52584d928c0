"""What the operator's program says instead of doing what it was asked."""


class OperatorError(Exception):
    """It cannot be done; the message names the thing, the value and the way out. Ends the program with exit 1."""
