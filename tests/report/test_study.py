"""The preference study: how clips are paired, what its server takes, and what a rater's browser does."""

import http.client
import json
import re
import socket
import threading

import numpy as np
import pytest
from headless_browser import open_browser

from latentreel.core.errors import InputError
from latentreel.core.video import Video
from latentreel.media.encode import save_video
from latentreel.report.inline_video import enlarged
from latentreel.report.page import write_html
from latentreel.report.preference_study import Pair, Study, make_pairs
from latentreel.report.study_page import study_page
from latentreel.report.study_server import MOST_POSTED_BYTES, StudyServer
from latentreel.report.votes import VoteFile, read_votes

GIVEN = {"question": "Which looks more realistic?", "rater": "Ann", "pair": "clip1", "left": "a", "choice": "b"}


@pytest.fixture
def server(study, tmp_path):
    """A study that is being held; votes go to votes.csv."""
    server = StudyServer(study, VoteFile(tmp_path / "votes.csv", study=study.digest))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.close()
    thread.join()


def ask(server, method, path, body=None, **headers):
    """Status, text and headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def post(server, told, **headers):
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return ask(server, "POST", f"/{server.token}/votes", body, **{"Content_Type": "application/json"} | headers)[:2]


def clips(folder, names):
    for number, name in enumerate(names):
        save_video(Video(np.full((2, 16, 16, 3), 9 * number, np.uint8), 25), folder / name)
    return str(folder)


def test_clips_are_paired_by_name_else_in_order(tmp_path):
    a = clips(tmp_path / "a", ["x.mp4", "y.mp4", "z.mp4"])
    pairs, told = make_pairs(a, clips(tmp_path / "b", ["z.gif", "y.mp4", "x.mp4"]))
    assert ([pair.name for pair in pairs], told) == (["x", "y", "z"], "files of the same name")
    pairs, told = make_pairs(a, clips(tmp_path / "c", ["1.mp4", "2.mp4", "3.mp4"]))
    assert ([pair.name for pair in pairs], told) == (
        ["x and 1", "y and 2", "z and 3"],
        "files in their order, for their names differ",
    )
    fewer = clips(tmp_path / "d", ["y.mp4", "z.mp4"])
    with pytest.raises(InputError, match="different numbers of clips; given: 3 and 2; give --pairs 2"):
        make_pairs(a, fewer)
    assert [pair.name for pair in make_pairs(a, fewer, count=2)[0]] == ["y", "z"]
    with pytest.raises(InputError, match="not so many pairs; given: 3; allowed: up to 2"):
        make_pairs(a, fewer, count=3)
    with pytest.raises(InputError, match="the same"):
        make_pairs(a, a)


def test_clips_of_one_name_and_two_suffixes_are_two_pairs(tmp_path):
    names = ["x.mp4", "x.gif", "y.mp4"]
    a, b = clips(tmp_path / "a", names), clips(tmp_path / "b", names[::-1])
    pairs, told = make_pairs(a, b)
    assert ([pair.name for pair in pairs], told) == (["x.gif", "x.mp4", "y"], "files of the same name")
    assert len({pair.digest for pair in pairs}) == 3


@pytest.mark.parametrize(("height", "width", "shown"), [(64, 32, (512, 256)), (512, 2, (1024, 4)), (2000, 4, (2000, 4))])
def test_narrow_clips_do_not_grow_without_end(height, width, shown):
    assert enlarged(np.zeros((1, height, width, 3), np.uint8), least=256).shape == (1, *shown, 3)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"questions": ("",)}, "questions of one line each"),
        ({"questions": ("?" * 1001,)}, "questions of one line each"),
        ({"questions": ("Which?", "Which?")}, "questions occur twice"),
        ({"a": "a" * 1001}, "no vote can name this side or pair"),
        ({"pairs": (Pair("x" * 1001, b"", b""),)}, "no vote can name this side or pair"),
        ({"pairs": (Pair("x", b"", b""), Pair("x", b"", b""))}, "names of pairs occur twice"),
    ],
)
def test_a_study_that_no_vote_could_be_of_is_refused(changes, problem):
    with pytest.raises(InputError, match=problem):
        Study(**{"a": "a", "b": "b", "pairs": (), "questions": ("Which?",)} | changes)


def test_a_study_is_known_by_its_clips(study, two_folders):
    dark, bright = (str(two_folders / name) for name in ("dark", "bright"))
    again, _ = make_pairs(dark, bright)
    other, _ = make_pairs(bright, dark)
    assert Study(a="x", b="y", pairs=again, questions=("Other?",)).digest == study.digest
    assert Study(a="dark", b="bright", pairs=other, questions=study.questions).digest != study.digest


def test_the_server_takes_votes_and_tells_what_was_voted(server, study):
    assert post(server, GIVEN) == (200, b"saved")
    assert post(server, GIVEN | {"pair": "clip2", "choice": "none"})[0] == 200
    status, text, _ = ask(server, "GET", f"/{server.token}/votes?rater=Ann")
    assert status == 200
    assert [vote["pair"] for vote in json.loads(text)] == ["clip1", "clip2"]
    (first, _) = read_votes([server.votes.path]).votes
    assert (first.study, first.a, first.b, first.choice) == (study.digest, "dark", "bright", "b")


@pytest.mark.parametrize(
    "path", ["/", "/votes", "/x/", "/x/votes", "TOKEN", "TOKEN/../../etc/passwd", "TOKEN/%2e%2e/votes.csv", "TOKEN/clips/a.mp4"]
)
def test_no_address_leads_anywhere_else(server, path):
    status, text, _ = ask(server, "GET", path.replace("TOKEN", f"/{server.token}"))
    assert (status, text) == (404, b"nothing is here")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"nonsense", 400),
        ([], 400),
        (GIVEN | {"pair": "clip9"}, 400),
        (GIVEN | {"question": "Other?"}, 400),
        (GIVEN | {"rater": "=1+1"}, 400),
        (GIVEN | {"choice": 1}, 400),
        (GIVEN | {"study": "mine"}, 400),
        (b"[" * 8000, 400),
        (b" " * (MOST_POSTED_BYTES + 1), 413),
    ],
)
def test_what_is_no_vote_of_this_study_is_refused(server, told, status):
    assert post(server, told)[0] == status
    assert server.votes.votes == ()


def test_others_can_neither_read_nor_vote(server):
    assert ask(server, "GET", f"/{server.token}/", Host=f"evil.example:{server.port}")[0] == 404
    assert post(server, GIVEN, Host=f"evil.example:{server.port}")[0] == 404
    assert post(server, GIVEN, Content_Type="text/plain")[0] == 400  # what a form of another site could send
    assert post(server, GIVEN, Content_Length="-1")[0] == 400
    assert post(server, GIVEN, Content_Length=f"{len(json.dumps(GIVEN)):020}")[0] == 413
    assert ask(server, "GET", f"/{server.token}/", Host="localhost")[0] == 200  # as browsers say it where the port is 80
    status, page, headers = ask(server, "GET", f"/{server.token}/")
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert server.token.encode() not in page
    with pytest.raises(InputError, match="cannot listen on port"):
        StudyServer(server.study, server.votes, port=server.port)


def test_a_vote_that_cannot_be_written_is_not_taken(server):
    server.votes.path.unlink()
    server.votes.path.mkdir()
    status, text = post(server, GIVEN)
    assert (status, b"cannot be written" in text) == (507, True)


def test_a_vote_that_does_not_come_is_waited_for_in_vain(server, monkeypatch):
    monkeypatch.setattr("latentreel.report.study_server._Handler.timeout", 0.2)
    assert post(server, b"", Content_Length="9") == (408, b"the vote has not come")


def test_a_browser_that_goes_away_is_no_news(server, capsys):
    server._content["long"] = "video/mp4", bytes(2**25)
    before = set(threading.enumerate())
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"GET /{server.token}/long HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        connection.recv(1)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive()
    assert capsys.readouterr().err == ""


def test_a_server_that_never_ran_can_be_closed(study, tmp_path):
    server = StudyServer(study, VoteFile(tmp_path / "votes.csv", study=study.digest))
    closing = threading.Thread(target=server.close, daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()


def hashed(text):
    """The page's hash of names: FNV-1a, stirred by the last steps of MurmurHash3."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    value = (value ^ value >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    value = (value ^ value >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return value ^ value >> 16


def expected_order(study, rater, question):
    """Names of the pairs in a rater's order, and the side at the left of each."""

    def draw(what, name):
        return hashed("|".join((str(study.seed), rater, what, question, name)))

    names = [pair.name for pair in study.pairs]
    sides = {
        name: "ab"[(rank + draw("first", "")) % 2] for rank, name in enumerate(sorted(names, key=lambda n: draw("side", n)))
    }
    return [(name, sides[name]) for name in sorted(names, key=lambda n: draw("order", n))]


BEGIN = "at('rater').value = 'Zoë'; at('form').requestSubmit(); at('rater').value = 'Ann'; at('form').requestSubmit()"
WAIT = "new Promise(go => { const look = () => (CONDITION) ? go(at('count').textContent) : setTimeout(look, 20); look(); })"
STARTED = WAIT.replace("CONDITION", "!at('trial').hidden && !busy")
SHADE = """(() => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.drawImage(left, 0, 0, 8, 8);
  return canvas.getImageData(4, 4, 1, 1).data[0];
})()"""
DOWNLOADED = """(async () => {
  let kept;
  URL.createObjectURL = blob => { kept = blob; return "blob:kept"; };
  HTMLAnchorElement.prototype.click = () => {};
  disk.download();
  return kept.text();
})()"""


def answer(*sides):
    """Answers one after the other, each when its pair is there."""
    return f"(async () => {{ for (const side of {list(sides)}) {{ await answer(side); await ready; }} }})()"


def test_a_rater_answers_by_keys_stops_and_goes_on(server, study):
    """One browser, for browsers take long to start: served, interrupted, gone on with; then from the disk."""
    first, second = study.questions
    with open_browser() as browser:
        browser.open(server.address, width=375)
        browser.run(BEGIN)
        assert browser.run(STARTED) == "Pair 1 of 8"
        assert browser.run("document.documentElement.scrollWidth <= innerWidth && !left.paused && !right.paused")
        seen = []
        for count, key in enumerate(("ArrowLeft", "ArrowRight", "ArrowDown"), 1):
            seen.append(tuple(browser.run("[trials[place].pair.name, trials[place].left]")))
            browser.press(key)
            browser.run(WAIT.replace("CONDITION", f"place === {count} && !busy"))
        assert seen == expected_order(study, "Ann", first)[:3]
        other = {"a": "b", "b": "a"}
        assert [vote.choice for vote in read_votes([server.votes.path]).votes] == [seen[0][1], other[seen[1][1]], "none"]
        browser.open(server.address, reduced_motion=True)
        browser.run(BEGIN)
        assert browser.run(STARTED) == "Pair 4 of 8"
        assert browser.run("left.paused && right.paused && at('play').textContent") == "Play both"
        browser.run(answer("left"))
        assert browser.run("at('question').textContent") == second
        assert ("a" if browser.run(SHADE) < 128 else "b") == browser.run("trials[place].left")

        path = write_html(study_page(study), server.votes.path.with_name("study.html"))
        browser.open(path.as_uri())
        browser.run(BEGIN)
        assert browser.run(STARTED) == "Pair 1 of 8"
        browser.run(answer("left", "left", "left"))
        browser.run("back()")
        browser.run(WAIT.replace("CONDITION", "place === 2 && !busy"))
        browser.run(answer("none"))
        browser.open(path.as_uri())
        browser.run(BEGIN)
        assert browser.run(STARTED) == "Pair 4 of 8"
        browser.run("Storage.prototype.setItem = () => { throw new Error('full'); }; true")
        browser.run(answer(*["right"] * 5))
        assert not browser.run("at('end').hidden")
        sent = server.votes.path.with_name("sent.csv")
        sent.write_text(browser.run(DOWNLOADED))
    record = read_votes([sent])
    assert (len(record.votes), record.replaced, record.problems) == (8, 1, ())
    for question in study.questions:
        lefts = {vote.pair: vote.left for vote in record.votes if vote.question == question}
        assert lefts == dict(expected_order(study, "Ann", question))
        assert sorted(lefts.values()) == ["a", "a", "b", "b"]


def test_a_page_gives_nothing_away_and_closes_no_script(study):
    page = study_page(study)
    shown = re.search("<main.*</main>", page, re.DOTALL)[0]
    assert "dark" not in shown
    assert "bright" not in shown
    assert page.count("<script") == page.count("</script>") == 2
    assert "&lt;b&gt;more" in shown
    assert "connect-src" not in page
