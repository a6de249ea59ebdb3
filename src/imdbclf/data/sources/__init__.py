"""Where reviews come from: one module a kind of source; `open_source` of `data.load_corpus` finds the right one."""
