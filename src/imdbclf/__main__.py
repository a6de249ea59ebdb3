"""`python -m imdbclf` is `imdbclf`."""

from imdbclf.cli import main

if __name__ == "__main__":
    main()
