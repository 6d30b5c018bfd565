"""Errors, settings, tables and statistics."""
