"""Lists that were sampled elsewhere."""
