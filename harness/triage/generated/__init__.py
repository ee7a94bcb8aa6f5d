"""What generated cases show when judged: who disagrees with whom, and what changed."""
