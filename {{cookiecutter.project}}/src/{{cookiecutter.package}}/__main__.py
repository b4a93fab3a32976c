"""`python -m <package>`: the command line."""

from .cli import app
from .errors import run_program

if __name__ == "__main__":  # a process that this one starts imports this module too
    run_program(app)
