"""Print a lock: every library that the package and its extras need, with the hash of the file that pip chooses here."""

import json
import platform
import subprocess
import sys

OPTIONS = ("install", "--quiet", "--dry-run", "--ignore-installed", "--constraint", "constraints.txt", "--report", "-")
command = [sys.executable, "-m", "pip", *OPTIONS, ".[joblib,submitit,search,onnx,hub,serve,report]"]
report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
python, where = platform.python_version().rpartition(".")[0], f"{platform.system()} {platform.machine()}"
print(f"# Made by `make lock` for Python {python} on {where}, with the CPU build of PyTorch.")
print("# pip install --require-hashes -r requirements.lock, then pip install --no-deps .")
print("--extra-index-url https://download.pytorch.org/whl/cpu")
for chosen in sorted(report["install"], key=lambda chosen: chosen["metadata"]["name"].lower()):
    if chosen["metadata"]["name"] != "imdbclf":
        print(chosen["metadata"]["name"], "==", chosen["metadata"]["version"], sep="", end=" ")
        print(f"--hash=sha256:{chosen['download_info']['archive_info']['hashes']['sha256']}")
