"""A stand-in for the Hugging Face hub: as much of its HTTP API as bundles need; and a place for hostile files.

The stand-in takes and gives contents as they are. The true hub keeps weight files in a storage of its own (LFS, Xet), behind
redirects.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hostile_pickles import CANARY

TOKEN = "hf_stand_in"
Files = dict[str, bytes]


@dataclass
class Repository:
    """What the hub keeps under one name."""

    private: bool = False
    commits: dict[str, Files] = field(default_factory=lambda: {"0" * 40: {}})

    @property
    def newest(self) -> Files:
        return self.commits[list(self.commits)[-1]]

    def commit(self, changed: Files) -> str:
        files = self.newest | changed
        sha = hashlib.sha1(repr((len(self.commits), sorted(files.items()))).encode()).hexdigest()
        self.commits[sha] = files
        return sha

    def sha(self, revision: str) -> str | None:
        return list(self.commits)[-1] if revision == "main" else revision if revision in self.commits else None


class StandIn:
    """The hub: what lies on it, what was asked of it, and what is wrong with it."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []
        self.broken: tuple[int, str] | None = None  # a status and a body that answer everything
        self.url = ""

    def downloads(self) -> list[str]:
        """The files whose contents went out."""
        return sorted(
            request.split("/")[-1] for request in self.requests if request.startswith("GET") and "/resolve/" in request
        )


def answers(hub: StandIn) -> type[BaseHTTPRequestHandler]:
    """What the web server does with a request."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self._begin()
            if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path):
                self._describe(found[1], tree=found[2] == "tree", revision=unquote(found[3] or "main"))
            elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                self._resolve(found[1], unquote(found[2]), unquote(found[3]))
            else:
                self._refuse(404, "no such page")

        def do_POST(self) -> None:
            path, body = self._begin(), self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._refuse(401, "Invalid username or password.")
            elif path == "/api/repos/create":
                self._create(json.loads(body))
            elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path):
                repository = hub.repositories[found[1]]
                self._preupload(repository, body) if found[2] == "preupload" else self._commit(found[1], body)
            else:
                self._refuse(404, "no such page")

        def _create(self, wish: dict) -> None:
            name = f"{wish['organization']}/{wish['name']}"
            if name in hub.repositories:
                self._answer({"error": "You already created this model repo", "url": f"{hub.url}/{name}"}, status=409)
                return
            private = wish.get("visibility") == "private" or bool(wish.get("private"))  # by later and earlier libraries
            hub.repositories[name] = Repository(private=private)
            self._answer({"url": f"{hub.url}/{name}"})

        def _preupload(self, repository: Repository, body: bytes) -> None:
            there = {path: blob(content) for path, content in repository.newest.items()}
            paths = [file["path"] for file in json.loads(body)["files"]]
            regular = {"uploadMode": "regular", "shouldIgnore": False}
            self._answer({"files": [{"path": path, "oid": there.get(path), **regular} for path in paths]})

        def _commit(self, name: str, body: bytes) -> None:
            values = [line["value"] for line in map(json.loads, body.splitlines()) if line["key"] == "file"]
            sha = hub.repositories[name].commit({value["path"]: base64.b64decode(value["content"]) for value in values})
            self._answer({"commitUrl": f"{hub.url}/{name}/commit/{sha}", "commitOid": sha})

        def _find(self, name: str, revision: str) -> tuple[str, Repository] | None:
            token = self.headers["Authorization"]
            repository = hub.repositories.get(name)
            if token not in (None, f"Bearer {TOKEN}"):
                self._refuse(401, "Invalid credentials in Authorization header")
            elif repository is None or (repository.private and token is None):
                self._refuse(404 if token else 401, "Repository not found", code="RepoNotFound")
            elif (sha := repository.sha(revision)) is None:
                self._refuse(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
            else:
                return sha, repository
            return None

        def _describe(self, name: str, *, tree: bool, revision: str) -> None:
            if (found := self._find(name, revision)) is None:
                return
            sha, repository = found
            files = repository.commits[sha]
            if tree:
                entries = [{"type": "file", "path": p, "size": len(c), "oid": blob(c)} for p, c in files.items()]
                self._answer(entries)
            else:
                siblings = [{"rfilename": path} for path in files]
                self._answer({"id": name, "sha": sha, "private": repository.private, "siblings": siblings, "tags": []})

        def _resolve(self, name: str, revision: str, path: str) -> None:
            if (found := self._find(name, revision)) is None:
                return
            sha, repository = found
            content = repository.commits[sha].get(path)
            if content is None:
                self._refuse(404, "Entry not found", code="EntryNotFound")
                return
            self._send(200, content, {"ETag": f'"{blob(content)}"', "X-Repo-Commit": sha})

        def _begin(self) -> str:
            hub.requests.append(f"{self.command} {self.path}")
            return "/broken" if hub.broken else urlsplit(self.path).path

        def _answer(self, value: object, *, status: int = 200) -> None:
            self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _refuse(self, status: int, message: str, *, code: str | None = None) -> None:
            headers = {"Content-Type": "application/json", "X-Error-Message": message}
            self._send(status, json.dumps({"error": message}).encode(), headers | ({"X-Error-Code": code} if code else {}))

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            if hub.broken:
                status, content, headers = hub.broken[0], hub.broken[1].encode(), {"Content-Type": "text/html"}
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Answers


def blob(content: bytes) -> str:
    """Git's name of a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serving(hub: StandIn) -> Iterator[None]:
    """Opens the hub for as long as the block takes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), answers(hub)) as server:
        server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def visit(monkeypatch, tmp_path):
    """Makes the hub's library talk to another address, with a cache of its own. It reads its settings at import."""
    from huggingface_hub import constants, file_download

    def go(url: str) -> None:
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)  # of versions before 1.0

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hub-token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return go


@pytest.fixture
def hub(visit):
    """The stand-in, open, where the hub's library will go; a login is there."""
    stand_in = StandIn()
    with serving(stand_in):
        visit(stand_in.url)
        yield stand_in


@pytest.fixture
def write(tmp_path):
    def write_file(data: bytes, name: str = "file.pt") -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write_file


@pytest.fixture
def canary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path / CANARY
    assert not (tmp_path / CANARY).exists(), "code was run"
