"""Strange files and folders for the verbs that read: made by hand, and drawn by damaging good ones."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from fuzz.judge import Case

_GOOD = [("A wonderful, moving film.", "pos"), ("The worst plot of all.", "neg")] * 6
_CSV = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in _GOOD)
_LINES = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in _GOOD)
_DEEP = 20_000
_LONG = 11_000_000

TABLES: dict[str, bytes] = {
    "empty.csv": b"",
    "blank.csv": b"\n\n  \n",
    "header.csv": b"text,label\n",
    "one_row.csv": b"text,label\ngood,pos\n",
    "one_class.csv": b"text,label\ngood,pos\nfine,pos\n",
    "three_classes.csv": b"text,label\ngood,pos\nbad,neg\nso,middling\n",
    "no_label_column.csv": b"text\ngood\nbad\n",
    "no_text_column.csv": b"review,label\ngood,pos\nbad,neg\n",
    "twice.csv": b"text,label,text\ngood,pos,a\nbad,neg,b\n",
    "semicolons.csv": _CSV.replace(",", ";").encode(),
    "tabs.csv": b"text\tlabel\ngood\tpos\nbad\tneg\n",
    "no_header.csv": _CSV.partition("\n")[2].encode(),
    "more_cells.csv": (_CSV + "one,two,three,four\n").encode(),
    "fewer_cells.csv": (_CSV + "one\n").encode(),
    "open_quote.csv": (_CSV + '"never closed,pos\nmore,neg\n').encode(),
    "lone_quotes.csv": b'text,label\n"a,pos\nb,neg\n"c,pos\nd,neg\n',
    "blank_labels.csv": b"text,label\ngood,\nbad, \nfine,neg \n",
    "blank_texts.csv": b'text,label\n"",pos\n" ",neg\nfine,pos\n',
    "header_blanks.csv": b" text , label \ngood,pos\nbad,neg\n",
    "bom.csv": b"\xef\xbb\xbf" + _CSV.encode(),
    "utf16.csv": _CSV.encode("utf-16"),
    "latin1.csv": "text,label\ncafé,pos\nnaïve,neg\n".encode("latin-1"),
    "nul.csv": b"text,label\nbad\x00bytes,pos\nmore,neg\n",
    "carriage_returns.csv": _CSV.replace("\n", "\r").encode(),
    "windows.csv": _CSV.replace("\n", "\r\n").encode(),
    "numbers.csv": b"text,label\n1,1\n2,0\n",
    "signs.csv": b"text,label\ngood,+1\nbad,-1\n",
    "not_numbers.csv": b"text,label\ngood,nan\nbad,inf\n",
    "missing_words.csv": b"text,label\nNA,pos\nnull,neg\nNone,pos\n",
    "long.csv": b"text,label\n" + b"a" * _LONG + b",pos\nb,neg\n",
    "columns.csv": b",".join([b"c"] * 10_000) + b"\n" + b",".join([b"1"] * 10_000) + b"\n",
    "escape.csv": b"text,label\n\x1b[2J\x1b]0;title\x07good,pos\nbad,neg\n",
    "markup.csv": b"text,label\ngood,[/foo]\nbad,[red]x\n",
    "formula.csv": b"text,label\n=cmd|' /C calc'!A0,pos\nbad,neg\n",
    "surrogates.csv": b"text,label\n\xed\xa0\x80,pos\nbad,neg\n",
    "binary.csv": bytes(range(256)) * 40,
    "zip.csv": b"PK\x03\x04" + b"\x00" * 60,
    "gzip.csv.gz": gzip.compress(_CSV.encode()),
    "cut.csv.gz": gzip.compress(_CSV.encode())[:-9],
    "not_gzip.csv.gz": _CSV.encode(),
    "bomb.csv.gz": gzip.compress(b"text,label\n" + b"a " * 100_000_000),
    "empty.jsonl": b"",
    "null.jsonl": b"null\n" + _LINES.encode(),
    "list.jsonl": b"[1, 2]\n",
    "number.jsonl": b"1\n2\n",
    "text.jsonl": b'"a"\n',
    "cut.jsonl": _LINES.encode()[:-9],
    "nan.jsonl": b'{"text": "a", "label": NaN}\n{"text": "b", "label": 1}\n',
    "mixed.jsonl": b'{"text": "a", "label": 1}\n{"text": 2, "label": "x"}\n',
    "nested.jsonl": b'{"text": {"a": 1}, "label": 1}\n{"text": {"a": 2}, "label": 0}\n',
    "missing.jsonl": b'{"text": "a"}\n{"label": 0}\n',
    "null_values.jsonl": b'{"text": null, "label": null}\n{"text": "b", "label": 0}\n',
    "deep.jsonl": b'{"text": ' + b"[" * _DEEP + b"]" * _DEEP + b', "label": 1}\n',
    "deep.json": b"[" * _DEEP + b"]" * _DEEP,
    "array.json": json.dumps([{"text": text, "label": label} for text, label in _GOOD]).encode(),
    "object.json": b'{"text": ["a", "b"], "label": [0, 1]}',
    "good.jsonl": _LINES.encode(),
    "good.txt": _CSV.encode(),
    "good.tsv": _CSV.replace(",", "\t").encode(),
    "unknown.xyz": _CSV.encode(),
    "no_suffix": _CSV.encode(),
    "[brackets].csv": _CSV.encode(),
    "a::b.csv": _CSV.encode(),
    "a=b, c.csv": _CSV.encode(),
    "not.parquet": b"PAR1" + b"\x00" * 40 + b"PAR1",
    "empty.parquet": b"",
}
"""What files can contain, by name."""


def _parquet(**columns: pa.Array) -> pa.Table:
    return pa.table(columns)


PARQUET: dict[str, pa.Table] = {
    "good.parquet": _parquet(text=pa.array(["a", "b"]), label=pa.array([0, 1])),
    "nulls.parquet": _parquet(text=pa.array(["a", None]), label=pa.array([0, None])),
    "bytes.parquet": _parquet(text=pa.array([b"\xff\xfe", b"ok"]), label=pa.array([0, 1])),
    "lists.parquet": _parquet(text=pa.array([["a"], ["b"]]), label=pa.array([[0], [1]])),
    "floats.parquet": _parquet(text=pa.array(["a", "b"]), label=pa.array([0.5, float("nan")])),
    "times.parquet": _parquet(text=pa.array(["a", "b"]), label=pa.array([1, 2], pa.timestamp("s"))),
    "no_rows.parquet": _parquet(text=pa.array([], pa.string()), label=pa.array([], pa.int64())),
    "large.parquet": _parquet(text=pa.array(["a", "b"], pa.large_string()), label=pa.array([0, 1], pa.uint64())),
    "dictionary.parquet": _parquet(text=pa.array(["a", "b"]).dictionary_encode(), label=pa.array([True, False])),
}
"""What Parquet files can contain, by name."""


def reading(folder: Path, checkpoint: Path) -> Iterator[Case]:
    """Every file of the tables above, through every verb that reads files."""
    place = folder / "tables"
    place.mkdir()
    for name, contents in TABLES.items():
        (place / name).write_bytes(contents)
    for name, table in PARQUET.items():
        pq.write_table(table, place / name)
    if hasattr(os, "mkfifo"):
        os.mkfifo(place / "fifo.csv")
    (place / "loop.csv").symlink_to(place / "loop.csv")
    (place / "folder.csv").mkdir()
    for path in sorted(place.iterdir()):
        yield from _reading(path, checkpoint)
    for other in ("", "/", "/dev/null", "/dev/zero", str(place / "missing.csv")):
        yield from _reading(other, checkpoint)


def _reading(path: Path | str, checkpoint: Path) -> Iterator[Case]:
    name = Path(path).name or str(path) or "nothing"
    yield Case(f"evaluate {name}", ("evaluate", str(checkpoint), "--source", str(path)))
    yield Case(f"predict {name}", ("predict", str(checkpoint), "--file", str(path)))
    yield Case(f"data {name}", ("data", str(path)))


def checkpoints(folder: Path) -> Iterator[Case]:
    """Every file in the place of a checkpoint."""
    for path in sorted((folder / "tables").iterdir()):
        yield Case(f"predict with {path.name}", ("predict", str(path), "a text"))


def damaged_reviews(folder: Path, checkpoint: Path, count: int, seed: int) -> Iterator[Case]:
    """Good files of reviews with bytes changed, removed, repeated or cut."""
    good = {"csv": _CSV.encode(), "jsonl": _LINES.encode()}
    pq.write_table(PARQUET["good.parquet"], folder / "good.parquet")
    good["parquet"] = (folder / "good.parquet").read_bytes()
    random_ = random.Random(seed)  # noqa: S311 - cases, not secrets
    for number in range(count):
        suffix = random_.choice(sorted(good))
        path = folder / f"damaged-{number}.{suffix}"
        path.write_bytes(damaged(good[suffix], random_))
        yield random_.choice([*_reading(path, checkpoint)])


def damaged(contents: bytes, random_: random.Random) -> bytes:
    """The bytes with one to four changes."""
    for _ in range(random_.randint(1, 4)):
        start = random_.randrange(len(contents) + 1)
        before, piece, after = contents[:start], contents[start:][: random_.choice([1, 2, 8, 64])], contents[start:]
        after = after[len(piece) :]
        changes = [
            before + after,
            before + piece * 3 + after,
            before + random_.randbytes(len(piece)) + after,
            before,
            before + random_.choice(_TOKENS) + piece + after,
        ]
        contents = random_.choice(changes)
    return contents


_TOKENS = [
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"\\",
    b"null",
    b"{",
    b"]",
    b"1e999",
    b"\xef\xbb\xbf",
    b"text,label\n",
]


def damaged_folders(folder: Path, run: Path, sweep: Path, count: int, seed: int) -> Iterator[Case]:
    """Folders of runs and sweeps in which one file is damaged, or replaced by JSON of another kind."""
    random_ = random.Random(seed)  # noqa: S311 - cases, not secrets
    others = [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"1",
        b'{"test/accuracy": "x"}',
        b'{"jobs": [1]}',
        b"a: &a [*a]\n",
        b"[" * _DEEP,
    ]
    for number in range(count):
        verb = random_.choice(["compare", "sweep-report"])
        copy = folder / f"{verb}-{number}"
        shutil.copytree(run if verb == "compare" else sweep, copy)
        files = [path for path in copy.rglob("*") if path.suffix in {".json", ".csv", ".yaml", ".parquet"}]
        chosen = random_.choice(sorted(files))
        contents = random_.choice(others) if random_.random() < 0.5 else damaged(chosen.read_bytes(), random_)
        chosen.write_bytes(contents)
        name = f"{verb} {chosen.relative_to(copy)}"
        yield Case(name, (verb, str(run), str(copy)) if verb == "compare" else (verb, str(copy)))
