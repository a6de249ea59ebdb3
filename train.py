"""The main job from a checkout: `python train.py loss=mse` is `imdbclf train loss=mse`."""

import sys

from imdbclf.cli import main

# Processes that train beside this one read this file again.
if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
