"""Exported folders as predictors, and folders that are none."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import run
from safetensors.numpy import load_file, save_file

from imdbclf.checkpoint import read_checkpoint
from imdbclf.errors import UserError
from imdbclf.export.hub import write
from imdbclf.inference.predictor import Predictor

TEXTS = ["a great film", "the worst film", ""]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, ngram_run: Path) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "model"
    write(read_checkpoint(ngram_run / "checkpoints/best.ckpt"), folder, half=False)
    return folder


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_a_folder_predicts_and_explains_as_its_checkpoint_few_texts_and_many(exported: Path, ngram_run: Path) -> None:
    loaded, checkpoint = (
        Predictor.from_pretrained(exported),
        Predictor.from_checkpoint(ngram_run / "checkpoints/best.ckpt"),
    )
    assert loaded.predict(TEXTS * 30) == checkpoint.predict(TEXTS * 30)
    assert loaded.predict(TEXTS) == checkpoint.predict(TEXTS)
    assert loaded.explain(TEXTS) == checkpoint.explain(TEXTS)
    assert loaded.classes_.tolist() == ["neg", "pos"]
    assert pickle.loads(pickle.dumps(loaded)).predict(TEXTS) == loaded.predict(TEXTS)  # noqa: S301 - our own


def test_the_commands_that_need_no_more_take_the_folder(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "predict", str(exported), "a great film").out.startswith("pos\t")
    refused = run(capsys, "evaluate", str(exported))
    said = f"error: {exported}: is an export; this needs the checkpoint of a run, or the run's folder\n"
    assert (refused.status, refused.err) == (2, said)
    assert '"effect"' in run(capsys, "explain", str(exported), "--json", "a great film").out


def changed(key: str, value: Any) -> Any:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {key: value}))

    return change


def with_config(text: str) -> Any:
    return lambda folder: (folder / "config.json").write_text(text)


def without_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["members.0.layers.1.bias"]
    save_file(tensors, folder / "model.safetensors")


def with_an_infinite_weight(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["members.0.layers.0.weight"][3, 0] = float("inf")
    save_file(tensors, folder / "model.safetensors")


def with_one_term_less(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    text = tensors["vocabulary"]
    tensors["vocabulary"] = text[text.tobytes().index(b"\n") + 1 :]
    save_file(tensors, folder / "model.safetensors")


def cut(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-10])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("model_type", "bert"), "/config.json: has the model_type 'bert'; give a folder that `imdbclf export"),
        (changed("format", 99), "/config.json: was made by another version of imdbclf"),
        *(
            (with_config(text), f"/config.json: {said}")
            for text, said in {
                '{"model_type": ': r"cannot be read \(Expecting value: line 1 column 16",
                "[1]": "is no object; give",
                "[" * 100_000: r"cannot be read \(",
            }.items()
        ),
        (lambda folder: (folder / "config.json").unlink(), r"/config.json: cannot be read \(No such file"),
        (lambda folder: (folder / "model.safetensors").unlink(), ": its files are damaged, .*model.safe"),
        *(
            (change, ": its files are damaged, or do not fit together ")
            for change in (
                without_a_tensor,
                with_an_infinite_weight,
                with_one_term_less,
                cut,
                changed("temperature", -1),
                changed("threshold", 2),
                changed("unit_length", "yes"),
                changed("members", 10**12),
                changed("hidden", "many"),
                changed("activation", "magic"),
                changed("id2label", {"0": "neg"}),
                changed("id2label", {"0": 1, "1": 2}),
            )
        ),
    ],
)
def test_a_foreign_or_damaged_folder_is_refused_in_one_line(copied: Path, change: Any, said: str) -> None:
    change(copied)
    with pytest.raises(UserError, match=f"^{copied}{said}"):
        Predictor.load(copied)


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(UserError, match=f"^{exported}: needs safetensors; install it with: "):
        Predictor.from_pretrained(exported)


def test_what_is_neither_a_folder_nor_on_the_hub_is_refused() -> None:
    with pytest.raises(UserError, match=r"^no folder: neither a folder nor a model of the Hub \("):
        Predictor.from_pretrained("no folder")
