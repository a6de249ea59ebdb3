"""The report of a sweep: folders in, `sweep.csv`, `epochs.csv`, `sweep.md` with its pictures, `sweep.html` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imdbclf.files import write_aside
from imdbclf.folders.sweep import Sweep, SweepFolder
from imdbclf.reports.sweep.content import PICTURES, sections_of
from imdbclf.reports.sweep.findings import Findings, findings_of
from imdbclf.reports.sweep.pages import Page, html_page, markdown_page
from imdbclf.reports.sweep.sections import Section
from imdbclf.reports.sweep.table import collect, write_epochs, write_table


@dataclass(frozen=True)
class SweepReport:
    """A report that has been written: its folder, what was asked, what was found."""

    folder: SweepFolder
    sweep: Sweep
    findings: Findings


def write_sweep_report(folder: SweepFolder, extra_sections: Sequence[Section] = ()) -> SweepReport:
    """Read the runs of a sweep and write its report beside them, each file whole or not at all.

    Args:
        folder: with a `sweep.json`; its runs may be in any state.
        extra_sections: parts of the report that another module adds, before the list of what is not finished.

    Raises:
        UserError: if the folder is none of a sweep.
    """
    sweep = folder.read()
    collected = collect(folder, sweep)
    findings = findings_of(collected.rows, sweep.compared)
    write_table(findings.rows, sweep.axes, folder.table)
    write_epochs(findings.rows, collected.epochs, folder.epochs)
    sections = sections_of(sweep, findings, collected.epochs, extra_sections)
    _write_pages(folder, Page(sweep.experiment, sweep.command, collected.data_sources, findings.verdict, sections))
    return SweepReport(folder, sweep, findings)


def _write_pages(folder: SweepFolder, page: Page) -> None:
    drawn = {picture.name: picture.png for section in page.sections for picture in section.pictures}
    for name in PICTURES:
        if name not in drawn:
            # One of an earlier report would show what is no longer so.
            (folder.path / f"{name}.png").unlink(missing_ok=True)
    for name, png in drawn.items():
        _write(folder.path / f"{name}.png", png)
    _write(folder.text, markdown_page(page).encode())
    _write(folder.page, html_page(page).encode())


def _write(path: Path, contents: bytes) -> None:
    with write_aside(path) as aside:
        aside.write_bytes(contents)
