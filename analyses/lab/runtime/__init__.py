"""A study at work: what it reads, keeps and shares."""
