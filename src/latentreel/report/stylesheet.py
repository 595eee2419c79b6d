"""How a page looks and behaves: the style sheet, light and dark, and the few lines of script that every page carries."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfaf8; --raised: #f2f0ec; --line: #e2dfd8; --ink: #22262b; --quiet: #5b626b;
  --series-1: #2a6a9c; --series-2: #b4531a; --series-3: #3a7a4b;
  --series-4: #7b559f; --series-5: #8a6a10; --series-6: #a23e5c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16181b; --raised: #1f2226; --line: #33373d; --ink: #e4e3df; --quiet: #9da3ab;
    --series-1: #7db6e0; --series-2: #eda26c; --series-3: #86c698;
    --series-4: #bfa4e2; --series-5: #d8bb62; --series-6: #e795ac;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: clamp(1.5rem, 6vw, 5rem) clamp(1.25rem, 5vw, 3rem); max-width: 54rem;
  background: var(--page); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: break-word;
}
h1, h2, h3, summary { line-height: 1.2; letter-spacing: -.015em; font-weight: 650; text-wrap: balance; }
h1 { margin: 0 0 1rem; font-size: clamp(1.9rem, 1.3rem + 2.6vw, 2.9rem); }
h2 { margin: 0 0 .75rem; font-size: clamp(1.3rem, 1.1rem + .8vw, 1.6rem); }
h3, summary { margin: 2.5rem 0 -.5rem; font-size: 1rem; letter-spacing: 0; }
summary { margin-bottom: 0; cursor: pointer; }
p { margin: 0 0 1rem; max-width: 40rem; text-wrap: pretty; }
.lead { font-size: 1.2rem; line-height: 1.5; color: var(--quiet); }
nav ul { display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; margin: 1.75rem 0 0; padding: 0; font-size: .95rem; }
nav ul, .labels, .legend { list-style: none; }
a { color: var(--series-1); text-underline-offset: .2em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--series-1); outline-offset: 3px; border-radius: 2px; }
section { margin-top: clamp(3rem, 8vw, 5rem); scroll-margin-top: 1.5rem; }
figure { margin: 1.75rem 0 0; }
figcaption { margin-top: .75rem; max-width: 40rem; color: var(--quiet); font-size: .925rem; line-height: 1.5; }
img { display: block; width: min(100%, 40rem); height: auto; border-radius: 4px; }

.stage { display: grid; grid-template-columns: auto minmax(0, 1fr); max-width: var(--width); }
.stage > * { grid-column: 2; margin: 0; padding: 0; }
.labels { display: grid; color: var(--quiet); font-size: .8125rem; line-height: 1.2; text-align: center; }
.labels.across { padding-bottom: .4rem; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); }
.labels.down { grid-column: 1; padding-right: .4rem; grid-auto-rows: minmax(0, 1fr); }
.labels.down li { writing-mode: vertical-rl; transform: rotate(180deg); }
.screen { overflow: hidden; border-radius: 4px; }
video { display: block; width: 100%; height: auto; }
button {
  justify-self: start; min-width: 4.5rem; border: 1px solid var(--line); border-radius: 1rem; background: none;
  color: var(--quiet); font: inherit; font-size: .8125rem; cursor: pointer;
}
.stage > button { margin-top: .75rem; padding: .1rem .9rem; }
button:hover { color: var(--ink); border-color: currentColor; }
/* The gaps between clips are cut out, so that the page shows through in either colour scheme. */
.tiled {
  --across: #0000 0 var(--start-x), #000 var(--start-x) var(--end-x), #0000 var(--end-x) var(--step-x);
  --down: #0000 0 var(--start-y), #000 var(--start-y) var(--end-y), #0000 var(--end-y) var(--step-y);
  --holes-x: repeating-linear-gradient(to right, var(--across));
  --holes-y: repeating-linear-gradient(to bottom, var(--down));
  -webkit-mask-image: var(--holes-y); mask-image: var(--holes-y);
}
.tiled video {
  -webkit-mask-image: var(--holes-x); mask-image: var(--holes-x);
}

.charts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 2rem 2.5rem; margin-top: 1.75rem;
}
.charts figure { margin: 0; max-width: 32rem; }
.charts svg { display: block; width: 100%; height: auto; }
.charts h3 { margin: 0; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: 0 0 .4rem; padding: 0; }
.legend li { font-size: .875rem; color: var(--quiet); }
.legend li::before {
  content: ""; display: inline-block; width: 1.1em; height: .2em; margin-right: .45em; vertical-align: .25em;
  border-radius: 1px; background: var(--colour);
}

.catalogue { margin: 1.25rem 0 0; padding: 0; list-style: none; font-size: .95rem; }
.catalogue li {
  display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: .25rem 1.5rem; align-items: center;
  padding: .6rem 0; border-top: 1px solid var(--line);
}
.catalogue .unseen { grid-template-columns: minmax(0, 1fr); }
.catalogue p { margin: 0; overflow-wrap: anywhere; }
.catalogue .facts { color: var(--quiet); font-variant-numeric: tabular-nums; }
.catalogue .name { font-weight: 600; }
.catalogue img { width: auto; max-width: 100%; max-height: 4.5rem; }

.scrolled { margin-top: 1.25rem; overflow-x: auto; }
table { border-collapse: collapse; font-size: .95rem; }
th, td { padding: .45rem 1.25rem .45rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-top: 0; color: var(--quiet); font-weight: 400; }
tbody th { font-weight: 650; }
td { font-variant-numeric: tabular-nums; }

dl { display: grid; grid-template-columns: minmax(9rem, auto) minmax(0, 1fr); margin: 1.25rem 0 0; font-size: .95rem; }
dt, dd { margin: 0; padding: .45rem 0; border-top: 1px solid var(--line); }
dt { padding-right: 1.5rem; color: var(--quiet); }
dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
pre { margin: 0; padding: 1rem 1.15rem; border-radius: 6px; background: var(--raised); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: .875rem/1.55 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; }
@media (max-width: 34rem) {
  body { font-size: 1rem; }
  dl, .catalogue li { grid-template-columns: minmax(0, 1fr); }
  dt { padding: .5rem 0 0; font-size: .875rem; }
  dd { padding: 0 0 .5rem; border-top: 0; }
  .labels { font-size: .75rem; }
}
@media print { body { padding: 0; max-width: none; } figure, dl, pre { break-inside: avoid; } nav, button { display: none; } }
"""

SCRIPT = """
const still = matchMedia("(prefers-reduced-motion: reduce)");
const videos = [...document.querySelectorAll("video")];
const settle = () => videos.forEach(video => {
  video.autoplay = !still.matches;
  if (still.matches) video.pause(); else video.play().catch(() => {});
});
// The browser's own controls would cover the lowest row of clips; they stay where scripts do not run.
const addButton = video => {
  const button = document.createElement("button");
  const toggle = () => video.paused ? video.play().catch(() => {}) : video.pause();
  const rename = () => {
    button.textContent = video.paused ? "Play" : "Pause";
    button.setAttribute("aria-label", `${button.textContent}: ${video.getAttribute("aria-label")}`);
  };
  button.type = "button";
  for (const part of [button, video]) part.addEventListener("click", toggle);
  for (const event of ["play", "pause"]) video.addEventListener(event, rename);
  rename();
  video.controls = false;
  video.closest(".stage").append(button);
};
// Some phones play no video out of a data: address, but do play the same bytes as a blob.
const viaBlob = async video => {
  const bytes = Uint8Array.from(atob(video.src.split(",")[1]), letter => letter.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
};
videos.forEach(video => video.error ? viaBlob(video) : video.addEventListener("error", () => viaBlob(video), {once: true}));
videos.forEach(addButton);
still.addEventListener("change", settle);
settle();
"""
