"""The one exception for what a user can mend."""


class Refused(Exception):
    """Work that was not done, and why: the message says what was wrong, where, and what to do.

    The command line prints the message without a traceback and exits 1.
    """
