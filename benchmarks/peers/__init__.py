"""The same work by other libraries, a module a process; run by the peers' own environment, `.venv-peers`."""
