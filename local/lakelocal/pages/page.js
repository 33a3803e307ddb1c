// Makes pages more convenient; every page works without it. `makeTableWork` stands before it: the script of `display`.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Times: the local time as a tooltip. Durations of what still runs: one second at a time.
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
  for (const each of all("[data-since]")) each.textContent = inWords(Math.max(0, Date.now() - each.dataset.since) / 1000);
}, 1000);

// A link to something inside of folded boxes unfolds them; one to an attempt that failed leads to its failed cell.
function showTarget() {
  const id = decodeURIComponent(location.hash.slice(1));
  let target = id && document.getElementById(id);
  if (!target) return;
  target = target.querySelector(":scope > details > .notebook > .failed-cell") || target;
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView({ block: "start" });
}

// The form above the tasks: find, only what failed, fold and unfold.
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
  all(".lakelocal-table", root).forEach(makeTableWork);
}

prepare(document);
addEventListener("hashchange", showTarget);
showTarget();
