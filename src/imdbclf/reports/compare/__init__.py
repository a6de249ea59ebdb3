"""`imdbclf compare`: finished runs on the same test reviews, each later one against the first.

`predictions` (folders to aligned rows) → `comparison` (statistics) → `words` (beginnings of reviews), `console`.
"""
