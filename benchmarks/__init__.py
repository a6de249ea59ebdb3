"""This project and its peers on the same work: `make bench` measures, `make docs` writes what was measured."""
