"""The controller's side of a worker: start it, ask it, and make an outcome of its death."""
