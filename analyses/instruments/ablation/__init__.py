"""Lists drawn again while features are edited."""
