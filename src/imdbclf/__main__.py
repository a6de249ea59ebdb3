"""`python -m imdbclf` is `imdbclf`."""

from imdbclf.cli import main

main()
