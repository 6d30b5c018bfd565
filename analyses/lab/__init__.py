"""The lab, which knows no lists: models, sampling, patching, autoencoders, statistics."""
