"""Paths of heads: which heads make one, and what is asked of it."""
