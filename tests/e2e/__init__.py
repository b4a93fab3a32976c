"""A project on a real cluster."""
