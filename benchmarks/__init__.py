"""Speed, as a ratio to the reference in the same run."""
