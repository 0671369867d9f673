"""Reads over a snapshot, one file a subject; a read is a small function (snapshot, filters, ...) -> frame."""
