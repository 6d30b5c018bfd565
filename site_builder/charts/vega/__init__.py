"""Vega-Lite specifications as data: what is wrong with them, what they mark, how they shrink."""
