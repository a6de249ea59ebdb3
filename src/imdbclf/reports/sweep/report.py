"""The report of a sweep: folders in, `sweep.csv`, `epochs.csv`, `sweep.md` with its pictures, `sweep.html` out."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imdbclf.files import write_aside
from imdbclf.folders.sweep import SEED, Sweep, SweepFolder
from imdbclf.reports.sweep.configurations import Configuration
from imdbclf.reports.sweep.content import PICTURES, sections_of
from imdbclf.reports.sweep.findings import Findings, findings_of
from imdbclf.reports.sweep.pages import Page, html_page, markdown_page
from imdbclf.reports.sweep.search import search_sections
from imdbclf.reports.sweep.sections import Section
from imdbclf.reports.sweep.table import collect, write_epochs, write_table
from imdbclf.terminal import program


@dataclass(frozen=True)
class SweepReport:
    """A report that has been written: its folder, what was asked, where the reviews came from, what was found."""

    folder: SweepFolder
    sweep: Sweep
    data_sources: Sequence[str]
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
    findings = findings_of(collected.rows, sweep.compared, sweep.search.get("monitor"))
    if sweep.search and findings.best is not None:
        findings = replace(findings, verdict=[*findings.verdict, _confirmation(sweep, findings.best)])
    write_table(findings.rows, sweep.axes, folder.table)
    write_epochs(findings.rows, collected.epochs, folder.epochs)
    added = [*search_sections(folder, sweep), *extra_sections]
    sections = sections_of(sweep, findings, collected.epochs, added)
    _write_pages(folder, Page(sweep.experiment, sweep.command, collected.data_sources, findings.verdict, sections))
    return SweepReport(folder, sweep, collected.data_sources, findings)


def _confirmation(sweep: Sweep, best: Configuration) -> str:
    """What to do with the best of a search: one seed of many configurations says little of it."""
    folders = {row.folder for row in best.by_seed.values()}
    overrides = next(job.overrides for job in sweep.jobs if job.folder in folders)
    others = [override for override in overrides if not override.startswith(f"{SEED}=")]
    return f"Confirm it over seeds: {shlex.join([program(), 'train', '-m', *others, f'{SEED}=range(5)'])}"


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
