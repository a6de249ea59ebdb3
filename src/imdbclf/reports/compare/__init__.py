"""`imdbclf compare`: finished runs on the same test reviews, each later one against the first."""
