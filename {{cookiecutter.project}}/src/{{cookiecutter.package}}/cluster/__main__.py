"""`python -m <package>.cluster`: the verbs for a cluster."""

from .cli import main

main()
