from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import contents
from imdbclf.data.sources.files import FilesSource
from imdbclf.errors import UserError
from imdbclf.setting_values import DELIMITERS
from imdbclf.settings import SourceSettings

Reviews = list[tuple[str, int]]


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def read(path: Path, content: str, **settings: object) -> Reviews:
    path.write_text(content, encoding="utf-8", newline="")
    return contents(FilesSource(path, None, SourceSettings.model_validate(settings)).read())["train"]


def refusal(path: Path, content: str, **settings: object) -> str:
    with pytest.raises(UserError) as error:
        read(path, content, **settings)
    return str(error.value).replace(str(path), path.name)


def said(caplog: pytest.LogCaptureFixture, path: Path) -> list[str]:
    return [record.getMessage().replace(str(path), path.name) for record in caplog.records]


GOOD_AND_BAD = [("good, really", 1), ("bad", 0)]


@pytest.mark.parametrize("delimiter", ["semicolon", "tab", "pipe"])
def test_another_delimiter_in_the_header_is_used_and_said(
    delimiter: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = "text|label\ngood, really|pos\nbad|neg\n".replace("|", DELIMITERS[delimiter])
    path = tmp_path / "a.csv"
    assert read(path, content) == GOOD_AND_BAD
    assert said(caplog, path) == [f"a.csv: read with data.delimiter={delimiter}"]


def test_a_text_file_has_tabs_and_marks_that_are_no_quoting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.txt"
    content = 'text\tlabel\n"Good" is all I say.\t1\nIt was 12" \x85 small\t0\n"Never again\t0\n'
    assert read(path, content) == [('"Good" is all I say.', 1), ('It was 12" \x85 small', 0), ('"Never again', 0)]
    (line,) = said(caplog, path)
    assert line.startswith("a.txt: read with data.quote=none, since line 2: quotation marks do not fit")


def test_quotation_marks_with_backslashes_are_read_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.csv"
    content = 'text,label\n"He said \\"no\\", twice",neg\n"fine",pos\n'
    assert read(path, content) == [('He said "no", twice', 0), ("fine", 1)]
    assert said(caplog, path)[0].startswith("a.csv: read with data.escape=backslash, since line 2: ")


def rows_without_quoting(comma: str) -> str:
    """Sixty rows, of which rows 21 and 41 (lines 22 and 42) begin with a lone quotation mark."""
    begin = {20: '"Great', 40: '"Terrible'}
    rows = [f"{begin.get(row, 'So')} it{comma} was {row},{'neg' if row % 2 else 'pos'}" for row in range(60)]
    return "\n".join(["text,label", *rows, ""])


def test_a_lone_quotation_mark_swallows_no_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.csv"
    reviews = read(path, rows_without_quoting(comma=""))
    assert len(reviews) == 60
    assert reviews[20] == ('"Great it was 20', 1)
    assert said(caplog, path)[0].startswith("a.csv: read with data.quote=none, since line 22: ")


def test_a_lone_quotation_mark_between_commas_is_refused_with_its_line(tmp_path: Path) -> None:
    message = refusal(tmp_path / "a.csv", rows_without_quoting(comma=","))
    assert message.startswith("a.csv: line 22: quotation marks do not fit")
    assert message.endswith("data.delimiter, data.quote and data.escape say how the file is written")


SWALLOWED = 'text,label\n"So, good,pos\nbad,neg\nonly 12",neg\ngood,pos\n'


def test_a_cell_that_goes_on_over_lines_with_labels_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path / "a.csv", SWALLOWED)
    assert message.startswith("a.csv: line 2: a quotation mark begins a cell that goes on over lines which look like")
    assert "('So, good,pos')" in message
    assert read(tmp_path / "a.csv", SWALLOWED, quote="double") == [("So, good,pos\nbad,neg\nonly 12", 0), ("good", 1)]


def test_the_label_may_stand_first(tmp_path: Path) -> None:
    content = 'label,text\nneg,"So, good\npos,bad\nneg,only 12"\npos,good\n'
    assert "line 2: a quotation mark begins a cell" in refusal(tmp_path / "a.csv", content)


def test_a_row_with_a_comma_too_many_is_named(tmp_path: Path) -> None:
    rows = "".join(f"good {row},pos\nbad {row},neg\n" for row in range(20))
    message = refusal(tmp_path / "a.csv", f"text,label\n{rows}well, fine,pos\n{rows}")
    assert message == (
        "a.csv: line 42 has 3 cells ('well' | ' fine' | 'pos') and the first line 2; "
        "data.delimiter, data.quote and data.escape say how the file is written"
    )


def test_lines_are_counted_over_cells_with_line_ends(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.csv", 'text,label\n"a\nb\n",0\n\nc,1\nd\n').startswith(
        "a.csv: line 7 has 1 cells ('d') and the first line 2"
    )


def test_a_repeated_header_line_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.csv"
    assert read(path, "text,label\na,0\ntext,label\nb,1\n") == [("a", 0), ("b", 1)]
    assert said(caplog, path) == ["a.csv: line 3 repeats the header line; such lines are left out (1)"]


def test_blanks_around_the_names_of_columns_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "text, label\na,0\nb,1\n") == [("a", 0), ("b", 1)]


def test_a_file_without_header_has_columns_by_number(tmp_path: Path) -> None:
    content = "a,0\nb,1\nc,1\n"
    assert read(tmp_path / "a.csv", content, header=False, text_column=1, label_column=2) == [
        ("a", 0),
        ("b", 1),
        ("c", 1),
    ]


def test_settings_come_before_what_the_file_looks_like(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.csv"
    content = "label;text\n0;it's \\'fine\\'\n1;'a; b'\n"
    assert read(
        path, content.replace("it's", "'its").replace("\\'\n", "\\''\n"), delimiter=";", quote="'", escape="\\"
    ) == [
        ("its 'fine'", 0),
        ("a; b", 1),
    ]
    assert said(caplog, path) == []


CELLS = st.text(st.sampled_from("ab ,;\t|\"'\\\n\r"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, st.sampled_from(["pos", "neg"])), max_size=6))
def test_what_is_quoted_throughout_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    both = [*rows, ("last", "pos"), ("last", "neg")]
    quoted = "".join('"{}","{}"\n'.format(text.replace('"', '""'), label) for text, label in both)
    path = tmp_path_factory.mktemp("cells") / "a.csv"
    assert read(path, f'"text","label"\n{quoted}') == [(text, int(label == "pos")) for text, label in both]


def test_lines_may_end_with_a_carriage_return_alone(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "text,label\ra,0\rb,1\r") == [("a", 0), ("b", 1)]
