"""The files of a run and of a sweep: the interface between training and reports."""
