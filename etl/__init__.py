"""A file becomes clean rows in the record."""
