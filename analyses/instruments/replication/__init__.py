"""What another study chose, tested on topics that had no part in it."""
