"""A finished run for people and for programs; reads the store only."""
