"""Frames become components; no queries here."""
