"""The page of an evaluation: thresholds, groups of reviews, the most confident errors."""
