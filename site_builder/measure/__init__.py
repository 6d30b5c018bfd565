"""The only door to measurements."""
