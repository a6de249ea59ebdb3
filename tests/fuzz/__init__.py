"""Hostile input for the whole command: `make fuzz`; a few cases of each kind are part of `make test`."""
