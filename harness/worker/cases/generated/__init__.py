"""Generated cases, many in one request: each has its line in a file before the next begins."""
