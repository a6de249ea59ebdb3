"""The main job from a checkout: `python train.py model.hidden=32 loss=mse` is `imdbclf train model.hidden=32 loss=mse`."""

import sys

from imdbclf.cli import main

main(["train", *sys.argv[1:]])
