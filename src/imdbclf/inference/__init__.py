"""What one does with a finished checkpoint; nothing here needs Lightning or the corpus it was trained on."""
