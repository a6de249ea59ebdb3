"""Execute notebooks/lecture.ipynb from top to bottom; nothing of the result is kept. On the sample, or IMDBCLF_DATA."""

import os
import sys
import tempfile
from pathlib import Path

try:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
except ImportError:
    pip = Path(sys.executable).with_name("pip")
    sys.stderr.write(
        f"notebook: needs the extra notebook; install it with: {pip} install -c constraints.txt '.[notebook]'\n"
    )
    sys.exit(2)

os.environ.setdefault("IMDBCLF_DATA", "sample")
notebook = nbformat.read(Path(__file__).parents[1] / "notebooks" / "lecture.ipynb", as_version=4)
with tempfile.TemporaryDirectory() as folder:
    try:
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    except CellExecutionError as error:
        sys.exit(str(error))
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.get("text", ""), end="")
