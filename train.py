"""The main job from a checkout: `python train.py loss=mse` is `imdbclf train loss=mse`."""

import sys

from imdbclf.cli import main

main(["train", *sys.argv[1:]])
