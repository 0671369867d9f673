"""Answers become pages: a Dash application over the newest snapshot."""
