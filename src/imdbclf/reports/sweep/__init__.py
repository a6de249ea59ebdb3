"""The report of a sweep folder.

`job_table` (run folders to rows) → `configurations`, `effects` (statistics) → `conclusions` (sentences), `plots` →
`page` (sections, HTML, files) → `console`.
"""
