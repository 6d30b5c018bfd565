"""The post as data: its directives, claims, references and values."""
