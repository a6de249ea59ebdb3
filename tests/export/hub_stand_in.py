"""A local stand-in for the Hub: it takes the files of models, and gives them again."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0" * 40
TOKEN = "secret"  # noqa: S105 - of the stand-in alone


class HubStandIn(ThreadingHTTPServer):
    """Keeps the files that were uploaded by their paths, `OWNER/MODEL/NAME`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def hub_stand_in() -> Iterator[HubStandIn]:
    with HubStandIn() as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


class _Answer(BaseHTTPRequestHandler):
    server: HubStandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, b"{}")
        elif self.path == "/api/repos/create":
            given = json.loads(body)
            self._answer(200, {"url": f"{self.server.address}/{given['organization']}/{given['name']}"})
        elif self.path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif self.path.endswith("/preupload/main"):
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]
            self._answer(200, {"files": modes})
        elif self.path.endswith("/commit/main"):
            self._commit(self.path.removeprefix("/api/models/").removesuffix("/commit/main"), body)
        else:
            self._answer(404, b"{}")

    def _commit(self, repo: str, body: bytes) -> None:
        for entry in map(json.loads, body.splitlines()):
            if entry["key"] == "file":
                content = base64.b64decode(entry["value"]["content"])
                self.server.files[f"{repo}/{entry['value']['path']}"] = content
        self._answer(200, {"commitUrl": f"{self.server.address}/{repo}/commit/{COMMIT}", "commitOid": COMMIT})

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/").split("/")
        if path[:2] == ["api", "models"]:
            self._about("/".join(path[2:4]), tree="tree" in path)
        else:
            found = self.server.files.get("/".join([*path[:2], *path[4:]]))
            self._answer(404 if found is None else 200, found or b"")

    do_HEAD = do_GET  # noqa: N815 - the base class' name

    def _about(self, repo: str, *, tree: bool) -> None:
        begin = f"{repo}/"
        files = {name.removeprefix(begin): data for name, data in self.server.files.items() if name.startswith(begin)}
        if not files:
            self._answer(404, b"{}")
        elif tree:
            kept = [{"type": "file", "path": name, "size": len(data), "oid": COMMIT} for name, data in files.items()]
            self._answer(200, kept)
        else:
            self._answer(200, {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]})

    def _answer(self, status: int, content: Any) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Say nothing."""
