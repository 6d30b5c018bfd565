"""The post's own instruments: what knows of lists."""
