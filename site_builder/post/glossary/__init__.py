"""The terms of a post: what defines them, and where they are used."""
