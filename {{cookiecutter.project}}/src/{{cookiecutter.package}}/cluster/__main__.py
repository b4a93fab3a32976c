"""`python -m <package>.cluster`: the verbs for a cluster."""

from ..errors import run_program
from .cli import app

run_program(app)
