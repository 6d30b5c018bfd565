"""The works that can be cited: a file of BibTeX, its LaTeX, and how a work is set."""
