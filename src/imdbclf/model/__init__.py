"""The network and its training: multi-hot first layer, perceptron, losses, optimizers, `ReviewClassifier`."""

CHECKPOINT_KEY = "imdbclf"
"""Key of a checkpoint under which vocabulary, settings and versions are, in plain types."""
