"""Features of lists: effects, cards, choices of layers."""
