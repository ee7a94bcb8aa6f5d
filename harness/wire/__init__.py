"""What both sides of the process boundary know; standard library only."""
