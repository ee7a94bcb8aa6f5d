"""Environments for cells: made from an index or a wheelhouse, kept, verified at every use."""
