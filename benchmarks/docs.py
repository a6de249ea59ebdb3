"""`make docs` writes what the results say into page, picture and README; `--check` sees that it stands there."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks import ladder_page, lecture_sweep_page, performance, scaling_page, search_comparison, validation
from benchmarks.failing import failing_in_one_line
from benchmarks.page import page
from benchmarks.paths import PAGE, PICTURE, README, RESULTS
from benchmarks.readme import with_figures
from benchmarks.results import Results, read_results
from benchmarks.sealed import shows
from imdbclf.errors import UserError


def write_docs(results: Results, readme: Path = README, page_file: Path = PAGE, picture: Path = PICTURE) -> None:
    """Write all three."""
    # It takes a second to import, which checking does without.
    from benchmarks.picture import draw  # noqa: PLC0415

    readme.write_text(with_figures(readme.read_text(encoding="utf-8"), results), encoding="utf-8")
    page_file.write_text(page(results), encoding="utf-8")
    draw(results, picture)


def check_docs(results: Results, readme: Path = README, page_file: Path = PAGE, picture: Path = PICTURE) -> None:
    """See that all three say what the results say.

    Raises:
        UserError: naming the first file that does not, and the command that mends it.
    """
    said = readme.read_text(encoding="utf-8")
    same: dict[Path, Callable[[], bool]] = {
        readme: lambda: said == with_figures(said, results),
        page_file: lambda: page_file.is_file() and page_file.read_text(encoding="utf-8") == page(results),
        picture: lambda: shows(picture, results),
    }
    for file, is_same in same.items():
        if not is_same():
            msg = f"{file.name}: differs from benchmarks/results.json; run: make docs"
            raise UserError(msg)


@failing_in_one_line
def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    check = parser.parse_args().check
    results = read_results(RESULTS)
    if results is None:
        msg = "benchmarks/results.json: is not there; run: make bench"
        raise UserError(msg)
    (check_docs if check else write_docs)(results)
    for measured in (performance, search_comparison, validation, ladder_page):
        measured.check() if check else measured.write(measured.read())
    lecture_sweep_page.check() if check else lecture_sweep_page.write()
    (scaling_page.check if check else scaling_page.write)(results, scaling_page.read_costs())


if __name__ == "__main__":
    main()
