"""Activation patching, exact and by gradient."""
