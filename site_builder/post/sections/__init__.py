"""A file of Markdown as its host reads it: its text, markup, labels and headings."""
