"""Runs on disk: written, named, read, put together, asked many at once."""
