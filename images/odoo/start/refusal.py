"""How a container says that it cannot start."""


class Refused(Exception):
    """One line: what is wrong, what is expected, what to do. It never holds a secret."""
