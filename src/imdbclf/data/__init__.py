"""From where the reviews are to ready batches: sources, words, vocabulary, multi-hot encoding, split, cache."""
