"""What a run and a sweep leave behind: the interface between whoever trains and whoever reads the results."""
