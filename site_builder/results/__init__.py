"""Results on disk: their names, recipes, freshness and order."""
