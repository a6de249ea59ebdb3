"""Folders in the layout of the Hub: what is in them, their cards, and how they are uploaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import run
from huggingface_hub import ModelCard
from safetensors.numpy import load_file

from export.hub_stand_in import TOKEN, HubStandIn, hub_stand_in
from export.test_onnx import KINDS
from imdbclf.checkpoint import read_checkpoint
from imdbclf.data.sources.hub import LECTURE_DATASET
from imdbclf.export import web
from imdbclf.export.hub import is_ours, probabilities, write
from imdbclf.export.texts import drawn_texts
from imdbclf.inference.predictor import Predictor
from imdbclf.inference.pretrained import read_pretrained
from imdbclf.settings import DataSettings

Capture = pytest.CaptureFixture[str]
FILES = ["README.md", "config.json", "model.safetensors"]


@pytest.mark.parametrize(("kind", "half"), [*((kind, False) for kind in KINDS), ("members", True)])
def test_the_folder_gives_the_probabilities(tmp_path: Path, kind: str, half: bool) -> None:
    write(KINDS[kind], tmp_path / "model", half=half)
    texts = drawn_texts(KINDS[kind].vectorizer.vocabulary)[:100]
    expected = Predictor(KINDS[kind]).probabilities(texts)
    # These weights are far larger than those of a trained network.
    assert probabilities(tmp_path / "model", texts) == pytest.approx(expected, abs=2e-3 if half else 1e-6)
    assert read_pretrained(tmp_path / "model").threshold == KINDS[kind].threshold


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, finished_run: Path) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "model"
    write(read_checkpoint(finished_run / "checkpoints/best.ckpt"), folder, half=False)
    return folder


def test_weights_and_vocabulary_are_one_file_bit_for_bit(exported: Path, finished_run: Path) -> None:
    checkpoint, tensors = (
        read_checkpoint(finished_run / "checkpoints/best.ckpt"),
        load_file(exported / "model.safetensors"),
    )
    assert sorted(file.name for file in exported.iterdir()) == FILES
    assert tensors["vocabulary"].tobytes().decode() == checkpoint.vectorizer.vocabulary.as_text()
    (network,) = checkpoint.arrays()
    (loaded,) = read_pretrained(exported).members
    assert [array.tobytes() for array in loaded.arrays] == [array.tobytes() for array in network.arrays]
    assert tensors["members.0.layers.0.weight"].tobytes() == network.arrays[0].tobytes()


def test_the_same_checkpoint_gives_the_same_bytes(exported: Path, finished_run: Path, tmp_path: Path) -> None:
    for number in range(5):
        write(read_checkpoint(finished_run / "checkpoints/best.ckpt"), tmp_path / f"{number}", half=False)
        for name in FILES:
            assert (tmp_path / f"{number}" / name).read_bytes() == (exported / name).read_bytes()


def test_the_folder_has_the_page_of_its_checkpoint(exported: Path, finished_run: Path, tmp_path: Path) -> None:
    loaded = [Predictor.load(path).checkpoint for path in (exported, finished_run)]
    for number, one in enumerate(loaded):
        web.write(one, tmp_path / f"{number}.html", half=False)
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes()


def test_the_card_says_what_the_run_measured(exported: Path, finished_run: Path) -> None:
    metrics = json.loads((finished_run / "metrics.json").read_text())
    card = ModelCard.load(exported / "README.md")
    assert card.data.eval_results is not None
    found = {result.metric_type: result for result in card.data.eval_results}
    assert found["accuracy"].metric_value == metrics["test/accuracy"]
    assert found["accuracy"].metric_args == {"interval_95": metrics["test/accuracy_interval"]}
    assert found["roc_auc"].metric_value == metrics["test/auroc"]
    assert "Measured by the run on 200 test reviews" in card.text
    assert f"| accuracy | {metrics['test/accuracy']:.4f} | {metrics['test/accuracy_interval'][0]:.4f} to" in card.text
    for title in ("Data", "Intended use", "Limits"):
        assert f"\n## {title}\n" in card.text


@pytest.mark.parametrize(
    ("source", "said", "dataset"),
    [
        ("sample", "Licence: MIT, as the package", None),
        (LECTURE_DATASET, "Licence: no open licence is stated (`other` on the Hub)", LECTURE_DATASET),
        ("someone/reviews", "Licence: stated on its page", "someone/reviews"),
        ("/home/someone/private", "Licence: not stated where the reviews are", None),
    ],
)
def test_the_card_says_where_the_reviews_are_from_and_their_licence_but_no_folder(
    tmp_path: Path, source: str, said: str, dataset: str | None
) -> None:
    checkpoint = KINDS["words"]
    settings = checkpoint.run.model_copy(update={"data": DataSettings(source=source)})
    write(replace(checkpoint, run=settings), tmp_path / "model", half=False)
    card = ModelCard.load(tmp_path / "model/README.md")
    assert said in card.text
    assert card.data.datasets == ([dataset] if dataset else None)
    assert "/home/someone" not in str(card)
    assert "the checkpoint was not in its folder when it was exported" in card.text


def test_a_folder_is_replaced_only_if_it_is_an_earlier_export_and_nothing_else_is_in_it(
    here: Path, finished_run: Path, capsys: Capture
) -> None:
    (here / "mine").mkdir()
    arguments = ("export", str(finished_run), "--to", "hub")
    assert "model: 0.04 MB; checked on 700 texts: all labels equal" in run(capsys, *arguments, "model").out
    assert run(capsys, *arguments, "model").err == "error: model: exists; --force replaces an earlier export\n"
    assert run(capsys, *arguments, "model", "--force", "--half").status == 0
    assert np.float16 == load_file(here / "model/model.safetensors")["members.0.layers.0.weight"].dtype
    (here / "model/notes.txt").write_text("mine")
    for name in ("mine", "model"):
        refused = run(capsys, *arguments, name, "--force")
        assert (refused.status, refused.err) == (
            2,
            f"error: {name}: is no earlier export, so it is not replaced\n",
        )
    assert sorted(file.name for file in here.iterdir()) == ["mine", "model"]
    assert not is_ours(here / "model")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubStandIn]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with hub_stand_in() as server:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.address)
        address = f"{server.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address)
        yield server


def test_a_pushed_folder_is_loaded_by_its_id(here: Path, finished_run: Path, capsys: Capture, hub: HubStandIn) -> None:
    done = run(capsys, "export", str(finished_run), "model", "--to", "hub", "--push", "someone/lecture")
    assert done.out.endswith(f"{hub.address}/someone/lecture\n"), done.err
    assert hub.files == {f"someone/lecture/{name}": (here / "model" / name).read_bytes() for name in FILES}
    from_hub = Predictor.from_pretrained("someone/lecture")
    assert from_hub.predict(["a great film"]) == Predictor.from_pretrained(here / "model").predict(["a great film"])


def test_a_refused_upload_is_one_line_and_the_folder_stays(
    here: Path, finished_run: Path, capsys: Capture, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not hub.files
    monkeypatch.setenv("HF_TOKEN", "wrong")
    done = run(capsys, "export", str(finished_run), "model", "--to", "hub", "--push", "someone/lecture")
    assert done.status == 2
    assert done.err.startswith("error: --push someone/lecture: model is written, but not uploaded (")
    assert done.err.count("\n") == 1
    assert is_ours(here / "model")


def test_only_a_folder_can_be_pushed(here: Path, finished_run: Path, capsys: Capture) -> None:
    done = run(capsys, "export", str(finished_run), "model.onnx", "--push", "someone/lecture")
    assert (done.status, done.err) == (2, "error: --push: is for --to hub\n")
    assert not list(here.iterdir())
