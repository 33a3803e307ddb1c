// Makes pages more convenient; every page works without it. `makeTableWork`, the script of `display`, precedes it.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Times get the local time as a tooltip. Durations of whatever is still running count the seconds, except in a page that
// is a file: it shows the durations of the moment when it was made.
function showTimes(root) {
  for (const time of all("time[datetime]", root)) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}

function inWords(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

setInterval(() => {
  for (const each of all("[data-live] [data-since]")) each.textContent = inWords(Math.max(0, Date.now() - each.dataset.since) / 1000);
}, 1000);

// A link to something inside collapsed boxes expands them; a link to a failed attempt shows its failed cell.
// The addresses of a workspace's older pages, #job/JOB/run/RUN and #job/JOB, lead to the current ones; so do those
// that the command line prints for pipelines, #joblist/pipelines/ID/updates/UPDATE.
function showTarget() {
  const older = document.querySelector("nav") && location.hash.match(/^#job\/(\d+)(?:\/run\/(\d+))?$/);
  if (older) return location.replace(older[2] ? `/runs/${older[2]}` : `/jobs/${older[1]}`);
  const pipeline = document.querySelector("nav") && location.hash.match(/^#joblist(\/pipelines\/[\w-]+(?:\/updates\/[\w-]+)?)$/);
  if (pipeline) return location.replace(pipeline[1]);
  const id = decodeURIComponent(location.hash.slice(1));
  let target = id && document.getElementById(id);
  if (!target) return;
  target = target.querySelector(":scope > details > .notebook > .failed-cell") || target;
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView({ block: "start" });
}

// A graph that is larger than its frame is scrolled to what failed, or to what is running, if that is out of sight.
function showNode(drawing) {
  const node = drawing.querySelector(".node.bad") || drawing.querySelector(".node.active");
  if (!node) return;
  const frame = drawing.getBoundingClientRect(), box = node.getBoundingClientRect();
  if (box.left > frame.right) drawing.scrollLeft = box.left - frame.left - 60;
  if (box.bottom > frame.bottom) drawing.scrollTop = box.top - frame.top - 60;
}

// The form above the tasks: find tasks, show only failed ones, expand and collapse.
function applyFilter() {
  const form = document.querySelector("form[data-filter]");
  if (!form) return;
  const wanted = form.querySelector("input[type=search]").value.trim().toLowerCase();
  const onlyFailed = form.querySelector("input[name=failed]").checked;
  const boxes = all(".attempt");
  let shown = 0;
  for (const box of boxes) {
    const fits = (!wanted || box.textContent.toLowerCase().includes(wanted)) && (!onlyFailed || "failed" in box.dataset);
    box.hidden = !fits;
    shown += fits;
  }
  form.querySelector("output").textContent = wanted || onlyFailed ? `${shown} of ${boxes.length}` : "";
}

document.addEventListener("input", (event) => event.target.closest("form[data-filter]") && applyFilter());
document.addEventListener("submit", (event) => event.target.matches("form[data-filter]") && event.preventDefault());
document.addEventListener("click", (event) => {
  const which = event.target.dataset && event.target.dataset.open;
  if (!which) return;
  for (const box of all("details.attempt, details.executed")) {
    if (which === "failed" ? "failed" in box.dataset : true) box.open = which !== "none";
  }
});

function prepare(root) {
  showTimes(root);
  for (const form of all("form[data-filter]", root)) form.hidden = false;
  for (const box of all("details[data-key]", root)) box.dataset.given = box.open;
  all(".lakelocal-table", root).forEach(makeTableWork);
}

// A page about something active: the server answers when the page has changed, and only the differences are replaced.
const shown = new Map();

function replaceParts(made) {
  for (const part of all("[data-part]")) {
    const name = part.dataset.part;
    const now = made.querySelector(`[data-part="${name}"]`);
    if (!now || shown.get(name) === now.innerHTML) continue;
    shown.set(name, now.innerHTML);
    const boxes = new Map(all("details[data-key]", part).map((box) => [box.dataset.key, box]));
    const focus = part.contains(document.activeElement) && document.activeElement.closest("[data-key]");
    prepare(now);
    for (const box of all("details[data-key]", now)) {  // as the user left it, unless there is a new reason to unfold it
      const before = boxes.get(box.dataset.key);
      if (before && before.dataset.given === box.dataset.given) box.open = before.open;
    }
    const places = all(".drawing", part).map((drawing) => [drawing.scrollLeft, drawing.scrollTop]);
    part.replaceChildren(...now.childNodes);
    all(".drawing", part).forEach((drawing, at) => (places[at] ? drawing.scrollTo(...places[at]) : showNode(drawing)));
    if (focus) {
      const again = part.querySelector(`[data-key="${CSS.escape(focus.dataset.key)}"] > summary`);
      if (again) again.focus();
    }
  }
  applyFilter();
}

async function follow(box) {
  for (const part of all("[data-part]", box)) shown.set(part.dataset.part, part.innerHTML);
  let stamp = "";
  for (let wrong = 0; box.dataset.live && wrong < 20; ) {
    const address = new URL(box.dataset.live, location);
    address.searchParams.set("stamp", stamp);
    try {
      const answer = await fetch(address);
      if (answer.status === 204) continue;
      if (!answer.ok) throw new Error(answer.statusText);
      stamp = answer.headers.get("x-stamp");
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      box.dataset.live = made.querySelector("[data-live]").dataset.live;
      document.title = made.title;
      replaceParts(made);
      wrong = 0;
    } catch (error) {
      wrong += 1;  // the server is not running: it may come back
      await new Promise((done) => setTimeout(done, 1000 * Math.min(wrong, 10)));
    }
  }
}

// Parts that take longer than a page should are fetched after it.
async function fetchLater(box) {
  const answer = await fetch(box.dataset.later);
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  box.replaceChildren(...(made.querySelector("[data-fragment]") || made.querySelector("main")).childNodes);
  prepare(box);
}

prepare(document);
all(".drawing").forEach(showNode);
for (const box of all("[data-live]")) if (box.dataset.live) follow(box);
for (const box of all("[data-later]")) fetchLater(box);
addEventListener("hashchange", showTarget);
showTarget();
