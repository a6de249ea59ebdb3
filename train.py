"""The main job from a checkout: `python train.py loss=mse` is `imdbclf train loss=mse`."""

import sys

from imdbclf.cli.main import main

# The worker processes of a sweep import this file again.
if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
