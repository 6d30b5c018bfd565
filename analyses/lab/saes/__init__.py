"""Sparse autoencoders: attribution, ablation, reconstruction."""
