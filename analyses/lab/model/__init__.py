"""One set of weights, opened: forward passes, sampling, scoring."""
