"""What changed between runs, since when, and whether it is real; pure."""
