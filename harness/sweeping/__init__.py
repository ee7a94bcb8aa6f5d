"""Generated cases carried out on builds, many at once, and what they have in common when judged."""
