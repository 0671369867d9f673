"""Frames become answers; only `pipeline` and the commands touch the database."""
