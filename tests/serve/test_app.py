"""What the server answers, asked over a real connection."""

from __future__ import annotations

import json
import re
import socket

import pytest

from imdbclf.inference.predictor import Predictor
from imdbclf.serve import app
from serve.conftest import Client

TEXTS = ["A wonderful film.", "", "the worst 🎬 \u0000 <script>", "ẞİΣ " * 50]


def test_predictions_are_those_of_the_checkpoint_in_order(client: Client, predictor: Predictor) -> None:
    status, answer = client.post("/predict", {"texts": TEXTS})
    assert status == 200
    assert answer == {
        "predictions": [{"label": one.label, "probability": one.probability} for one in predictor.predict(TEXTS)]
    }
    assert client.post("/predict", {"texts": []}) == (200, {"predictions": []})


def test_explanations_are_those_of_the_checkpoint(client: Client, predictor: Predictor) -> None:
    status, answer = client.post("/explain", {"texts": TEXTS})
    assert status == 200
    for found, expected in zip(answer["explanations"], predictor.explain(TEXTS), strict=True):
        assert (found["text"], found["probability"]) == (expected.text, expected.probability)
        assert [one["word"] for one in found["words"]] == [one.word for one in expected.words]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON: recursion limit"),
        (b'{"texts": ["\\ud800"]}', "Invalid JSON: unexpected end of hex escape"),
        (b"[]", "Input should be an object"),
        (b"{}", "texts: Field required"),
        (b'{"texts": "a film"}', "texts: Input should be a valid"),
        (b'{"texts": ["a", null]}', "texts.1: Input should be a valid string"),
        (b'{"texts": [], "model": 1}', "model: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_body_is_named_in_json(client: Client, body: bytes, message: str) -> None:
    status, answer = client.ask("POST", "/predict", body)
    assert (status, list(answer)) == (400, ["error"])
    assert message in answer["error"]


def test_what_is_too_much_is_refused(client: Client) -> None:
    most_texts, longest = ["a"] * app.MOST_TEXTS, "a" * app.MOST_CHARACTERS
    for texts in ([*most_texts, "a"], [longest + "a"], [longest] * 10):
        status, answer = client.post("/predict", {"texts": texts})
        assert (status, list(answer)) == (413, ["error"])
    for texts in (most_texts, [longest] * 9):
        assert client.post("/predict", {"texts": texts})[0] == 200


def test_a_slow_body_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        answer = b"".join(iter(lambda: slow.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'{"error":' in answer


def test_a_client_that_goes_away_is_no_error_of_the_server(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", client.port)) as short:
            short.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/health")[0] == 200
    assert not caplog.records


def test_other_paths_and_methods_have_errors_in_json(client: Client) -> None:
    assert client.get("/nothing") == (404, {"error": "Not Found"})
    assert client.get("/predict") == (405, {"error": "Method Not Allowed"})
    assert client.post("/predict/", {"texts": []})[0] == 404


def test_the_page_is_that_of_the_export(client: Client) -> None:
    status, html = client.get("/")
    assert status == 200
    assert '<script type="application/octet-stream" id="model">' in html


def test_health_says_the_version(client: Client) -> None:
    status, answer = client.get("/health")
    assert (status, answer["status"]) == (200, "ok")
    assert re.fullmatch(r"\d+\.\d+.*", answer["version"])


def test_the_description_names_every_path_and_the_limits(client: Client) -> None:
    status, described = client.get("/openapi.json")
    assert status == 200
    assert set(described["paths"]) == {"/", "/predict", "/explain", "/health", "/metrics", "/openapi.json"}
    assert all(client.ask("DELETE", path)[0] == 405 for path in described["paths"])
    body = described["components"]["schemas"]["Texts"]
    (named, texts), *others = body["properties"].items()
    assert (named, others) == ("texts", [])
    assert (texts["maxItems"], texts["items"]["maxLength"]) == (app.MOST_TEXTS, app.MOST_CHARACTERS)
    for path, model in (("predict", app.Predictions), ("explain", app.Explanations)):
        _, answer = client.post(f"/{path}", {"texts": ["a great film"]})
        assert model.model_validate(answer).model_dump(mode="json") == answer


def counted(client: Client, name: str) -> float:
    _, text = client.get("/metrics")
    return float(next(line for line in text.splitlines() if line.startswith(name)).rpartition(" ")[2])


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ('imdbclf_requests_total{path="/predict",status="200"}', 1),
        ('imdbclf_texts_total{path="/predict"}', 2),
        ('imdbclf_requests_total{path="other",status="404"}', 1),
    ],
)
def test_metrics_count_requests_and_texts(client: Client, name: str, more: int) -> None:
    before = counted(client, name)
    client.post("/predict", {"texts": ["a", "b"]})
    client.get("/%22%7D%0Aevil")
    assert counted(client, name) == before + more


def test_no_text_is_logged(client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    client.post("/predict", {"texts": ["secret words"]})
    client.ask("POST", "/predict", json.dumps({"texts": ["secret words", 1]}).encode())
    assert "secret" not in caplog.text + "".join(capfd.readouterr())
