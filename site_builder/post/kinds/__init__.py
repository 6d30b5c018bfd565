"""The kinds of directive: a row of `table.py` and a module each."""
