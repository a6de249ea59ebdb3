"""The peers, which run in an environment of their own (.venv-peers)."""
