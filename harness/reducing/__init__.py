"""A failing case taken apart on real cells: reduced, and written as a reproducer."""
