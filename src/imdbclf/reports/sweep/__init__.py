"""The report of a sweep folder: what was best, what can't be told from it, and what each choice changes.

`table` (run folders to rows) → `configurations`, `effects` (rows to statistics) → `verdict` (sentences), `figures` →
`content` (sections) → `pages` (Markdown, HTML), `closing` (console); `report` does it all.
"""
