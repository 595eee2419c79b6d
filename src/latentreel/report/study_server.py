"""A small server for a study's raters on this machine: it knows one page, its clips, and how to take a vote.

It listens to this machine alone. All addresses begin with a token, and clips are found in a table, so no address leads to a file.
"""

import hmac
import json
import secrets
import sys
import threading
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from latentreel.core.errors import InputError
from latentreel.report.preference_study import Study
from latentreel.report.study_page import SERVED_POLICY, study_page
from latentreel.report.votes import Vote, VoteFile, now

HOST = "127.0.0.1"
MOST_POSTED_BYTES = 8192
PATIENCE_SECONDS = 30
"""How long a connection may say nothing."""

VOTED = ("question", "rater", "pair", "left", "choice")


class StudyServer:
    """Serves a study until it is closed."""

    def __init__(self, study: Study, votes: VoteFile, *, port: int = 0, on_vote: Callable[[], None] = lambda: None) -> None:
        """Opens the port.

        Args:
            study: What is shown.
            votes: Where answers go.
            port: On which to listen; 0 takes a free one.
            on_vote: Called after each vote.

        Raises:
            InputError: The port is taken.
        """
        self.study, self.votes, self.on_vote = study, votes, on_vote
        self.token = secrets.token_urlsafe(16)
        self._lock = threading.Lock()
        names: dict[tuple[int, Literal["a", "b"]], str] = {}
        self._content: dict[str, tuple[str, bytes]] = {}
        for number, pair in enumerate(study.pairs):
            for side, content in (("a", pair.a), ("b", pair.b)):
                name = f"clips/{secrets.token_hex(8)}.mp4"  # says nothing of the side
                names[number, "a" if side == "a" else "b"] = name
                self._content[name] = "video/mp4", content
        self._content[""] = "text/html; charset=utf-8", study_page(study, clips=names).encode()
        try:
            self._server = _Listener((HOST, port), partial(_Handler, self))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"cannot listen on port {port}: {reason}", fix="give another --port, or 0 for a free one"
            ) from error
        self._serving = False

    @property
    def port(self) -> int:
        """On which it listens."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    def run(self) -> None:
        """Answers until `close` is called or the process is interrupted."""
        self._serving = True
        try:
            self._server.serve_forever()
        finally:
            self._serving = False

    def close(self) -> None:
        """Stops if it runs, and gives the port back."""
        if self._serving:
            self._server.shutdown()
        self._server.server_close()

    def content(self, name: str) -> tuple[str, bytes] | None:
        """Media type and bytes under an address behind the token; None where nothing is."""
        return self._content.get(name)

    def voted(self, rater: str) -> list[dict[str, str]]:
        """What a rater has answered."""
        return [{"question": vote.question, "pair": vote.pair} for vote in self.votes.votes if vote.rater == rater]

    def take(self, posted: bytes) -> None:
        """Adds a vote.

        Raises:
            InputError: It is none that this study could have.
            OSError: It cannot be written down.
        """
        try:
            told: Any = json.loads(posted)
        except (ValueError, RecursionError) as error:
            raise InputError("a vote is JSON") from error
        if (
            not isinstance(told, dict)
            or sorted(told) != sorted(VOTED)
            or not all(isinstance(told[name], str) for name in VOTED)
        ):
            raise InputError("a vote has other fields", allowed=", ".join(VOTED))
        vote = Vote(study=self.study.digest, a=self.study.a, b=self.study.b, at=now(), **told)
        if vote.question not in self.study.questions or vote.pair not in {pair.name for pair in self.study.pairs}:
            raise InputError("this study has no such pair or question")
        if vote.choice == "none" and self.study.forced:
            raise InputError("this study has two answers")
        with self._lock:
            self.votes.append(vote)
        self.on_vote()


class _Listener(ThreadingHTTPServer):
    """The socket; each connection has a thread of its own."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of browsers that went away before they had their answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "latentreel", ""
    timeout = PATIENCE_SECONDS

    def __init__(self, study: StudyServer, *told: Any) -> None:
        self.study = study
        super().__init__(*told)

    def do_GET(self) -> None:
        name = self._name()
        if name == "votes":
            rater = parse_qs(urlsplit(self.path).query).get("rater", [""])[0]
            return self._answer(HTTPStatus.OK, "application/json", json.dumps(self.study.voted(rater)).encode())
        found = None if name is None else self.study.content(name)
        if found is None:
            return self._say(HTTPStatus.NOT_FOUND, "nothing is here")
        return self._answer(HTTPStatus.OK, *found)

    def do_POST(self) -> None:
        self.close_connection = True  # whatever of the body is not read must not be taken for the next request
        if self._name() != "votes":
            return self._say(HTTPStatus.NOT_FOUND, "nothing is here")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or self.headers.get_content_type() != "application/json":
            return self._say(HTTPStatus.BAD_REQUEST, "a vote is JSON with a length")
        if len(length) > len(str(MOST_POSTED_BYTES)) or int(length) > MOST_POSTED_BYTES:
            return self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "no vote is so long")
        try:
            posted = self.rfile.read(int(length))
        except TimeoutError:
            return self._say(HTTPStatus.REQUEST_TIMEOUT, "the vote has not come")
        try:
            self.study.take(posted)
        except InputError as error:
            return self._say(HTTPStatus.BAD_REQUEST, str(error))
        except OSError as error:
            return self._say(HTTPStatus.INSUFFICIENT_STORAGE, f"the votes cannot be written: {error.strerror or error}")
        return self._say(HTTPStatus.OK, "saved")

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps requests off the screen."""

    def _name(self) -> str | None:
        """What is asked for, behind the token; None where the token or the host is another."""
        host = self.headers.get("Host", "").partition(":")[0]  # browsers leave the port out where it is 80
        token, slash, name = urlsplit(self.path).path.removeprefix("/").partition("/")
        known = hmac.compare_digest(token.encode(), self.study.token.encode())
        return name if known and slash and host in (HOST, "localhost") else None

    def _say(self, status: HTTPStatus, text: str) -> None:
        self._answer(status, "text/plain; charset=utf-8", text.encode())

    def _answer(self, status: HTTPStatus, media_type: str, content: bytes) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": media_type,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": SERVED_POLICY,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
