"""The real command line on the cpu variant."""
