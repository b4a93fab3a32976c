"""The model of this project: its steps, its bundle and its server."""

import atexit
import gc

__version__ = "0.1.0"

# A process gives its memory back as a whole: without this it first looked for garbage in all of MLflow and scikit-learn, up to
# a second of every verb.
atexit.register(gc.freeze)
