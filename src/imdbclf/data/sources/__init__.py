"""Where reviews come from: one module a kind of source; `choose` finds the right one."""
