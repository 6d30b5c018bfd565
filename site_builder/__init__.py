"""From a directive to a published page."""
