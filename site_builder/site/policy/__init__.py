"""What may run in a published page, and what keeps the rest from it."""
