"""Servers with the models of others behind the same path: `python -m benchmarks.peers.serving KIND MODEL PORT`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Classify = Callable[[list[str]], list[float]]


def sklearn(model: str) -> Classify:
    """Bag of words and logistic regression (`sklearn_words.fit`)."""
    import joblib  # noqa: PLC0415 - one of both

    words, regression = joblib.load(model)
    return lambda texts: regression.predict_proba(words.transform(texts))[:, 1].tolist()


def fasttext(model: str) -> Classify:
    """The model of `fasttext_model.save`."""
    import fasttext as library  # noqa: PLC0415

    from benchmarks.reviews import spaced  # noqa: PLC0415

    loaded = library.load_model(model)

    def classify(texts: list[str]) -> list[float]:
        # One by one: for a list, the wheel's `predict` does not work with NumPy 2.
        found = [loaded.f.predict(spaced(text) + "\n", 1, 0.0, "strict")[0] for text in texts]
        return [chance if label == "__label__1" else 1 - chance for chance, label in found]

    return classify


def main() -> None:
    """Serve until a signal stops it."""
    kind, model, port = sys.argv[1:]
    classify = {"sklearn": sklearn, "fasttext": fasttext}[kind](model)

    async def predict(request: Request) -> JSONResponse:
        chances = classify((await request.json())["texts"])
        found = [{"label": "pos" if chance > 0.5 else "neg", "probability": chance} for chance in chances]  # noqa: PLR2004
        return JSONResponse({"predictions": found})

    app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
    uvicorn.run(app, port=int(port), access_log=False, log_level="error")


if __name__ == "__main__":
    main()
