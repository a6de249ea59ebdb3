"""The command `imdbclf`."""
