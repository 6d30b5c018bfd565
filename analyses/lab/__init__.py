"""The instruments: model, token roles, sampling, scores, statistics."""
