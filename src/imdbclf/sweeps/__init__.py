"""One question, many runs: which ones a sweep needs, what is done already, who runs the rest, how far it is."""
