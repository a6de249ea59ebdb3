"""Print constraints: what the package needs in the lowest admitted versions, the tests' tools in tested ones."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
tested = dict(line.split("==") for line in Path("constraints.txt").read_text(encoding="utf-8").split())
for wanted in [
    *project["dependencies"],
    *extras["joblib"],
    *extras["submitit"],
    *extras["search"],
    *extras["onnx"],
    *extras["serve"],
    *extras["report"],
]:
    print(re.sub(r">=([\w.]+).*", r"==\1", wanted))
for tool in ("hypothesis", "pytest", "pytest-randomly", "pytest-xdist"):
    print(f"{tool}=={tested[tool]}")
