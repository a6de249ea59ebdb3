"""What the server answers: its paths, their limits and their errors."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imdbclf import __version__
from imdbclf.errors import UserError
from imdbclf.export import web
from imdbclf.inference.predictor import Predictor
from imdbclf.reports.explanation import Explanation
from imdbclf.serve.counts import Counts

MOST_BYTES = 1_000_000
MOST_TEXTS = 1_000
MOST_CHARACTERS = 100_000
BODY_SECONDS = 10.0
"""Seconds until the whole body must be here."""

_ANYTHING = TypeAdapter[Any](Any)
TOO_MUCH = {"too_long", "string_too_long"}


class Texts(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid")
    texts: Annotated[list[Annotated[str, Field(max_length=MOST_CHARACTERS)]], Field(max_length=MOST_TEXTS)]


class Labelled(BaseModel):
    """What the network thinks of one text; the probability is that of being positive."""

    label: str
    probability: Annotated[float, Field(ge=0, le=1)]


class Predictions(BaseModel):
    """The answer of `/predict`."""

    predictions: list[Labelled]


class Explanations(BaseModel):
    """The answer of `/explain`."""

    explanations: list[Explanation]


class Failure(BaseModel):
    """The answer to a request that is refused."""

    error: str


def description() -> dict[str, Any]:
    """All paths in OpenAPI, with the schemas of what they take and answer."""
    models: list[type[BaseModel]] = [Texts, Predictions, Explanations, Failure]
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, schemas = models_json_schema(modes, ref_template="#/components/schemas/{model}")

    def content(model: type[BaseModel]) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}}

    def get(summary: str, answer: str) -> dict[str, Any]:
        return {"get": {"summary": summary, "responses": {"200": {"description": answer}}}}

    def post(summary: str, answer: type[BaseModel]) -> dict[str, Any]:
        errors = "400: the body is wrong; 408: it is slow; 413: it is too large; 503: too many connections"
        responses = {
            "200": {"description": "In the order of the texts", **content(answer)},
            "default": {"description": errors, **content(Failure)},
        }
        body = {"required": True, **content(Texts)}
        return {"post": {"summary": summary, "requestBody": body, "responses": responses}}

    paths = {
        "/": get("A page that classifies in the browser", "HTML"),
        "/health": get("Whether the server answers", "Its status and version"),
        "/metrics": get("Counters, in Prometheus' text format", "Text"),
        "/openapi.json": get("This description", "JSON"),
        "/predict": post("A label and a probability for each text", Predictions),
        "/explain": post("What each word does to the probability", Explanations),
    }
    about = {"title": "imdbclf", "version": "1"}
    return {"openapi": "3.1.0", "info": about, "paths": paths, "components": {"schemas": schemas["$defs"]}}


def make_app(predictor: Predictor, folder: Path) -> ASGIApp:
    """The application of one worker; `folder` is where all workers count."""

    async def predict(request: Request) -> Response:
        predictions = predictor.predict(await _texts_of(request))
        found = [{"label": one.label, "probability": one.probability} for one in predictions]
        return _json({"predictions": found})

    async def explain(request: Request) -> Response:
        # In a thread, since it can take a second for long texts; then others are answered meanwhile.
        explanations = await run_in_threadpool(predictor.explain, await _texts_of(request))
        return _json({"explanations": explanations})

    async def metrics(_: Request) -> Response:
        return PlainTextResponse("".join(counts.lines()), media_type="text/plain; version=0.0.4")

    routes = [
        Route("/predict", predict, methods=["POST"]),
        Route("/explain", explain, methods=["POST"]),
        Route("/health", JSONResponse({"status": "ok", "version": __version__}), methods=["GET"]),
        Route("/metrics", metrics),
        Route("/openapi.json", JSONResponse(description()), methods=["GET"]),
        Route("/", _page_of(predictor)),
    ]
    predictor.warm_up()
    counts = Counts(folder, [route.path for route in routes])
    app = Starlette(routes=routes, exception_handlers={HTTPException: _error, Exception: _error})
    app.router.redirect_slashes = False
    return _counted(app, counts)


def _json(content: object) -> Response:
    return Response(_ANYTHING.dump_json(content), media_type="application/json")


async def _texts_of(request: Request) -> list[str]:
    """The texts of a body within all limits."""
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await request.receive()
                # A client that has gone away sends no more, and reads no answer.
                body, more = body + message.get("body", b""), message.get("more_body", False)
                if len(body) > MOST_BYTES:
                    raise HTTPException(413, f"the body has more than {MOST_BYTES:,} bytes")
    except TimeoutError:
        raise HTTPException(408, f"the body was not here within {BODY_SECONDS:.0f} seconds") from None
    try:
        texts = Texts.model_validate_json(body).texts
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise HTTPException(413 if first["type"] in TOO_MUCH else 400, f"{place}: {first['msg']}") from None
    request.scope["texts"] = len(texts)
    return texts


def _page_of(predictor: Predictor) -> Callable[[Request], Response]:
    """What answers with the page of `imdbclf export --to web`, written when it is first asked for."""
    one_at_a_time = threading.Lock()

    @cache
    def html() -> str:
        return web.html_of(predictor.checkpoint, half=False)

    # No coroutine: Starlette runs it in a thread, since large pages take seconds.
    def page(_: Request) -> Response:
        try:
            with one_at_a_time:
                return HTMLResponse(html())
        except UserError as error:
            raise HTTPException(404, str(error)) from error

    return page


async def _error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return JSONResponse({"error": "an error in the server"}, 500)
    # What is left of a body that nobody reads must not be taken for the next request.
    closing = {"Connection": "close"} if error.status_code in {408, 413} else {}
    return JSONResponse({"error": error.detail}, error.status_code, {**(error.headers or {}), **closing})


def _counted(app: ASGIApp, counts: Counts) -> ASGIApp:
    """The application, and what it answers is counted."""

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                counts.add(scope["path"], message["status"], perf_counter() - started, scope.get("texts", 0))
            await send(message)

        await app(scope, receive, count)

    return counted
