"""A use of a result becomes HTML."""
