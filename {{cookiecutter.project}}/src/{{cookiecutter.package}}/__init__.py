"""The model of this project: its steps, its bundle and its server."""

__version__ = "0.1.0"
