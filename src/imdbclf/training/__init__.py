"""Fit, resume, callbacks, and what a run folder holds."""
