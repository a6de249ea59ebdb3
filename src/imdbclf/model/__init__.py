"""The network and how it learns: multi-hot first layer, perceptron, losses, optimizers, `ReviewClassifier`."""

CHECKPOINT_KEY = "imdbclf"
"""Where a checkpoint keeps what Lightning does not know of: vocabulary, settings, versions; plain types only."""
