"""The page that a rater sees: two clips side by side, an answer by click, touch or key; from the disk or from `study_server`."""

import base64
import html
import json
from collections.abc import Mapping
from typing import Any, Literal

from latentreel.report.page import document
from latentreel.report.preference_study import Study
from latentreel.report.votes import FIELDS, RATER

SERVED_POLICY = (
    "default-src 'none'; connect-src 'self'; media-src blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'"
)
"""What a served page may load: clips and votes from its server, and nothing else."""

_DISK_POLICY = SERVED_POLICY.replace("connect-src 'self'; ", "")

STYLE = """
.study { max-width: 60rem; }
.study [hidden] { display: none; }
.study h1 { font-size: clamp(1.35rem, 1.1rem + 1.2vw, 1.9rem); margin-bottom: .75rem; }
.study [tabindex="-1"]:focus { outline: none; }
.study label { display: block; font-weight: 650; margin-bottom: .35rem; }
.study input {
  width: min(100%, 20rem); min-height: 2.75rem; padding: .4rem .75rem; border: 1px solid var(--quiet); border-radius: 6px;
  background: var(--raised); color: var(--ink); font: inherit;
}
.study button { min-height: 2.75rem; padding: .4rem 1.1rem; border-radius: 6px; font-size: 1rem; color: var(--ink); }
.study button:disabled { opacity: .45; cursor: default; }
.study button.main { border-color: var(--series-1); background: var(--series-1); color: var(--page); font-weight: 650; }
.study progress { display: block; width: 100%; height: .5rem; margin: 0 0 1rem; accent-color: var(--series-1); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: clamp(.5rem, 2vw, 1.5rem); }
.pair figure { margin: 0; min-width: 0; }
.pair video { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 4px; background: var(--raised); }
.study .answer { width: 100%; min-height: 3.25rem; margin-top: .6rem; }
.more { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: .75rem; }
.status { min-height: 1.6em; margin-top: .75rem; }
.alert { color: var(--series-2); font-weight: 650; }
.keys { margin-top: 1rem; color: var(--quiet); font-size: .925rem; }
@media (hover: none) { .keys { display: none; } }
"""

SCRIPT = """
const study = JSON.parse(document.getElementById("study").textContent);
const at = id => document.getElementById(id);
const [left, right] = [at("left"), at("right")];
const still = matchMedia("(prefers-reduced-motion: reduce)");
const message = {};
let rater = "", trials = [], place = 0, busy = true, ready = Promise.resolve();

// FNV-1a over UTF-8, stirred by the last steps of MurmurHash3: the same order on every machine, from names alone.
const hash = text => {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  value = Math.imul(value ^ value >>> 16, 0x85ebca6b);
  value = Math.imul(value ^ value >>> 13, 0xc2b2ae35);
  return (value ^ value >>> 16) >>> 0;
};
// Pairs in random order; at the left stands A in every second one of another random order, so that either side has its half.
const ordered = who => study.questions.flatMap(question => {
  const draw = (what, name) => hash([study.seed, who, what, question, name].join("|"));
  const before = (what, x, y) => draw(what, x.name) - draw(what, y.name) || (x.name < y.name ? -1 : 1);
  const shuffled = what => [...study.pairs].sort((x, y) => before(what, x, y));
  const first = draw("first", "") & 1;
  const sides = new Map(shuffled("side").map((pair, rank) => [pair.name, (rank + first) % 2 ? "b" : "a"]));
  return shuffled("order").map(pair => ({question, pair, left: sides.get(pair.name)}));
});
const keyOf = vote => vote.question + "\\n" + vote.pair;

let memory = null;  // the votes, from the moment at which the browser refuses to keep them
const shelf = `latentreel-study-${study.study}`;
const disk = {
  all() { try { return memory ?? JSON.parse(localStorage.getItem(shelf) || "[]"); } catch { return memory = []; } },
  async load(who) { return this.all().filter(vote => vote.rater === who); },
  async save(vote) {
    const votes = [...this.all(), {...vote, study: study.study, a: study.a, b: study.b, at: new Date().toISOString()}];
    try { if (!memory) localStorage.setItem(shelf, JSON.stringify(votes)); } catch { memory = []; }
    if (!memory) return;
    memory = votes;
    message.warning = "This browser keeps nothing: download the votes before you close the page.";
  },
  download() {
    const cell = text => /[",\\n\\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const rows = [study.fields, ...this.all().map(vote => study.fields.map(name => vote[name]))];
    const lines = rows.map(row => row.map(cell).join(",") + "\\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(lines, {type: "text/csv"}));
    link.download = `votes-${study.study}-${rater.replaceAll(" ", "_")}.csv`;
    link.click();
  },
};
const refused = async answer => { if (!answer.ok) throw new Error((await answer.text()).slice(0, 200)); return answer; };
const served = {
  load: who => fetch(`votes?rater=${encodeURIComponent(who)}`).then(refused).then(answer => answer.json()),
  save: vote => fetch("votes", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(vote),
  }).then(refused),
};
const store = study.served ? served : disk;

const bytesOf = async clip => {
  if (study.served) return fetch(clip).then(refused).then(answer => answer.blob());
  return new Blob([Uint8Array.from(atob(clip), letter => letter.charCodeAt(0))], {type: "video/mp4"});
};
const loaded = async (video, clip) => {
  URL.revokeObjectURL(video.src);
  const shown = new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error("a clip cannot be played"));
  });
  video.src = URL.createObjectURL(await bytesOf(clip));
  await shown;
};
const say = (text, alarming = false) => {
  at("status").textContent = text;
  at("status").className = alarming ? "status alert" : "status";
};
const show = id => { for (const part of ["start", "trial", "end"]) at(part).hidden = part !== id; };
const nameButton = () => { at("play").textContent = left.paused && right.paused ? "Play both" : "Pause both"; };
const play = () => { for (const video of [left, right]) { video.currentTime = 0; video.play().catch(() => {}); } };
const toggle = () => { if (left.paused && right.paused) play(); else { left.pause(); right.pause(); } };
const enable = on => { busy = !on; for (const button of document.querySelectorAll("[data-answer]")) button.disabled = !on; };

const present = async () => {
  if (place >= trials.length) return finish();
  const trial = trials[place], other = trial.left === "a" ? "b" : "a";
  show("trial");
  enable(false);
  at("question").textContent = trial.question;
  at("progress").value = place;
  at("progress").max = trials.length;
  at("count").textContent = `Pair ${place + 1} of ${trials.length}`;
  at("back").disabled = place === 0;
  try {
    await Promise.all([loaded(left, trial.pair[trial.left]), loaded(right, trial.pair[other])]);
  } catch (error) {
    return say(`This pair cannot be shown (${error.message}). Reload the page; your votes are kept.`, true);
  }
  if (!still.matches) play();
  say(message.warning || "", Boolean(message.warning));
  enable(true);
};
const answer = async side => {
  if (busy || at("trial").hidden) return;
  enable(false);
  const trial = trials[place], other = trial.left === "a" ? "b" : "a";
  const choice = {left: trial.left, right: other, none: "none"}[side];
  try {
    await store.save({rater, question: trial.question, pair: trial.pair.name, left: trial.left, choice});
  } catch (error) {
    say(`This vote is not saved (${error.message}). Answer again; if that does not help, ask whoever runs the study.`, true);
    return enable(true);
  }
  place += 1;
  ready = present();
};
const finish = () => {
  left.pause();
  right.pause();
  show("end");
  at("done").textContent = `All ${trials.length} answers are in.`;
  at("end").focus();
};
const back = () => { if (!busy && place > 0) { place -= 1; ready = present(); } };

at("form").addEventListener("submit", async event => {
  event.preventDefault();
  rater = at("rater").value.trim();
  if (!new RegExp(`^${study.rater}$`).test(rater)) {
    at("problem").textContent = "Letters, digits, spaces and . _ - please, up to 40, a letter or digit first.";
    return at("rater").focus();
  }
  try {
    const done = new Set((await store.load(rater)).map(keyOf));
    // What was answered before comes first, so that Back still reaches it.
    const all = ordered(rater).map(trial => [trial, done.has(keyOf({question: trial.question, pair: trial.pair.name}))]);
    trials = [...all.filter(([, answered]) => answered), ...all.filter(([, answered]) => !answered)].map(([trial]) => trial);
    place = all.filter(([, answered]) => answered).length;
  } catch (error) {
    return at("problem").textContent = `The study does not answer (${error.message}).`;
  }
  ready = present();
  at("question").focus();
});
for (const button of document.querySelectorAll("[data-answer]"))
  button.addEventListener("click", () => answer(button.dataset.answer));
at("back").addEventListener("click", back);
at("play").addEventListener("click", toggle);
for (const button of document.querySelectorAll("[data-download]")) button.addEventListener("click", () => disk.download());
for (const video of [left, right]) for (const event of ["play", "pause"]) video.addEventListener(event, nameButton);
still.addEventListener("change", () => { if (still.matches) { left.pause(); right.pause(); } });
const answers = {ArrowLeft: "left", ArrowRight: "right", ArrowDown: study.forced ? "" : "none"};
document.addEventListener("keydown", event => {
  if (at("trial").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey || !answers[event.key]) return;
  event.preventDefault();
  answer(answers[event.key]);
});
"""


def study_page(study: Study, *, clips: Mapping[tuple[int, Literal["a", "b"]], str] | None = None) -> str:
    """The page as an HTML document.

    Args:
        study: What is shown.
        clips: Where a server has the clips, by the number of the pair and the side; None: the page carries them, and keeps votes in
            the browser until they are downloaded as a file.
    """
    pairs = [
        {"name": pair.name, "a": _clip(clips, number, "a", pair.a), "b": _clip(clips, number, "b", pair.b)}
        for number, pair in enumerate(study.pairs)
    ]
    told: dict[str, Any] = {
        "study": study.digest,
        "a": study.a,
        "b": study.b,
        "questions": study.questions,
        "pairs": pairs,
        "seed": study.seed,
        "forced": study.forced,
        "served": clips is not None,
        "fields": FIELDS,
        "rater": RATER.pattern,
    }
    data = json.dumps(told).replace("<", "\\u003c")
    body = _body(study, served=clips is not None) + f'<script type="application/json" id="study">{data}</script>'
    policy = _DISK_POLICY if clips is None else SERVED_POLICY
    return document("Which clip?", body, script=SCRIPT, style=STYLE, policy=policy)


def _clip(
    clips: Mapping[tuple[int, Literal["a", "b"]], str] | None, number: int, side: Literal["a", "b"], content: bytes
) -> str:
    return base64.b64encode(content).decode() if clips is None else clips[number, side]


def _body(study: Study, *, served: bool) -> str:
    count, asked = len(study.pairs), " ".join(study.questions)
    kept = (
        "Each answer is saved at once. You may stop at any time and go on later under the same name."
        if served
        else "Answers stay in this browser until you download them as a file and send it to whoever asked you. You may stop at any "
        "time and go on later, in this browser and under the same name."
    )
    none = "" if study.forced else '<button type="button" class="answer" data-answer="none">No difference</button>'
    keys = "Keys: ← the left clip, → the right clip" + ("." if study.forced else ", ↓ no difference.")
    download = "" if served else '<button type="button" data-download>Download votes</button>'
    finished = "You may close this page." if served else "Please download the votes, and send the file to whoever asked you."
    figures = "".join(
        f'<figure><video id="{side}" muted loop playsinline aria-label="The {side} clip"></video>'
        f'<button type="button" class="answer main" data-answer="{side}" aria-label="The {side} clip">{side.capitalize()}'
        f"</button></figure>"
        for side in ("left", "right")
    )
    return f"""<main class="study">
<section id="start" style="margin:0">
<h1>Two clips at a time</h1>
<p>You will see {count} pairs of short clips{"" if len(study.questions) == 1 else f", {len(study.questions)} times"} and answer:
<strong>{html.escape(asked)}</strong> Go by your first impression; there is no right answer.</p><p>{kept}</p>
<form id="form"><label for="rater">Your name or initials</label>
<input id="rater" autocomplete="nickname" maxlength="40" required aria-describedby="problem">
<p id="problem" class="status alert" role="alert"></p><button class="main">Start</button></form>
</section>
<section id="trial" style="margin:0" hidden>
<progress id="progress" value="0" max="1" aria-labelledby="count"></progress>
<p id="count" class="keys" style="display:block;margin:0" role="status"></p>
<h1 id="question" tabindex="-1"></h1>
<div class="pair">{figures}</div>{none}
<div class="more"><button type="button" id="play">Play both</button>
<button type="button" id="back">Back</button>{download}</div>
<p id="status" class="status" role="alert"></p><p class="keys">{keys}</p>
</section>
<section id="end" style="margin:0" tabindex="-1" hidden><h1>Thank you</h1><p id="done"></p><p>{finished}</p>{download}</section>
</main>
"""
