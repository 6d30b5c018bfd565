"""Formulas in the text: what stands between dollars, and what only looks like it."""
