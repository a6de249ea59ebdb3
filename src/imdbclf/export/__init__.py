"""A checkpoint in formats that other programs read."""
