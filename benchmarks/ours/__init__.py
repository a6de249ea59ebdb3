"""What is timed of this project, a module a process; each writes what it measured as JSON."""
