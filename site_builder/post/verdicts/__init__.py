"""Claims, tested on results: their rows, units, intervals and what chance alone would give."""
