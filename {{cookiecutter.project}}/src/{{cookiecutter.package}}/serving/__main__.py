"""`python -m <package>.serving`: the server process."""

from .server import main

main()
