"""Chains of nodes that invite fusions."""
