"""The suite `leaks`: nothing grows with the number of sessions, runs and refusals."""
