"""What is timed of this project; each process writes what it measured as JSON."""
