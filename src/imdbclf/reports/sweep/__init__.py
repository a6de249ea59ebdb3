"""The report of a sweep folder.

`job_table` (run folders to rows) → `analysis` (statistics) → `conclusions` (sentences), `plots` → `sections` (and
`search`, that of a search) → `report` (files, console).
"""
