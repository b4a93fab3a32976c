"""`python -m <package>.serving`: the server process; `python -m <package>.serving fetch`: the init container before it."""

import sys

from . import fetch, server

match sys.argv[1:]:
    case []:
        server.main()
    case ["fetch"]:
        fetch.main()
    case _:
        print(f"usage: python -m {__package__} [fetch]", file=sys.stderr)
        sys.exit(2)
