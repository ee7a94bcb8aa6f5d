"""A run as a static site: pages that need no server, no network and, but for search, no script."""
