"""`python -m imdbclf` is `imdbclf`."""

from imdbclf.cli.main import main

if __name__ == "__main__":
    main()
