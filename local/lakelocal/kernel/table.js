// Makes the table of one output sort, filter, download and draw. Without it the table is plain HTML with all rows.
// The rows are read from the table itself, so an output has its data once; nothing is loaded, nothing is remembered.
(root => {
  const table = root.querySelector("table"), note = root.querySelector("p");
  if (!table || !note || root.classList.contains("live")) return;
  root.classList.add("live");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const names = heads.map(head => head.firstChild.textContent);
  const kinds = heads.map(head => head.className); // n: a number, t: a time, else text
  const said = note.textContent;
  const rows = [...body.rows].map((tr, at) => ({
    tr, at, values: [...tr.cells].map(td => td.firstChild && td.firstChild.nodeName === "I" ? null : td.textContent),
  }));
  let shown = rows, sorted = -1, downwards = false;

  const make = (tag, properties, ...inside) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...inside);
    return made;
  };
  const number = text => { const found = Number(text); return Number.isNaN(found) ? Infinity : found; };
  const compare = (kind, a, b) => {
    if (kind === "n") return number(a) - number(b) || a.localeCompare(b, "en", { numeric: true });
    return a < b ? -1 : a > b ? 1 : 0;
  };

  // A filter is words that a row must all contain; a word such as `total>=10` or `state=SP` is about one column.
  const condition = word => {
    const parts = word.match(/^([^<>=!]+)(>=|<=|!=|=|>|<)(.*)$/);
    const column = parts ? names.findIndex(name => name.toLowerCase() === parts[1].toLowerCase()) : -1;
    if (column < 0) {
      const wanted = word.toLowerCase();
      return row => row.values.some(value => (value === null ? "null" : value.toLowerCase()).includes(wanted));
    }
    const [, , sign, limit] = parts, kind = kinds[column];
    const exact = kind === "n" ? limit : limit.toLowerCase();
    return row => {
      const value = row.values[column];
      if (value === null || exact.toUpperCase() === "NULL") {
        const both = value === null && exact.toUpperCase() === "NULL";
        return sign === "=" ? both : sign === "!=" ? !both : false;
      }
      if (kind === "n" && (limit === "" || Number.isNaN(Number(limit)))) return false;
      const order = kind === "n" ? number(value) - number(limit) : compare(kind, value.toLowerCase(), exact);
      return { "=": order === 0, "!=": order !== 0, ">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0 }[sign];
    };
  };

  const refresh = () => {
    const words = (filter.value.match(/(?:[^\s"]|"[^"]*")+/g) || []).map(word => word.replaceAll('"', ""));
    const conditions = words.filter(word => word).map(condition);
    shown = rows.filter(row => conditions.every(holds => holds(row)));
    if (sorted >= 0) {
      const sign = downwards ? -1 : 1;
      shown.sort((one, other) => {
        const a = one.values[sorted], b = other.values[sorted];
        if (a === null || b === null) return (a === null) - (b === null) || one.at - other.at;
        return sign * compare(kinds[sorted], a, b) || one.at - other.at;
      });
    }
    heads.forEach((head, at) => {
      head.ariaSort = at !== sorted ? "none" : downwards ? "descending" : "ascending";
    });
    body.replaceChildren(...shown.map(row => row.tr));
    const count = shown.length.toLocaleString("en-US");
    note.textContent = shown.length === rows.length ? said : `${count} shown by the filter, of ${said}`;
    if (!panel.hidden) draw();
  };

  const sort = at => {
    if (sorted !== at) [sorted, downwards] = [at, false];
    else if (!downwards) downwards = true;
    else sorted = -1;
    refresh();
  };

  const download = () => {
    const field = value => value === null ? "" : /[",\r\n]/.test(value) || value === "" ? `"${value.replaceAll('"', '""')}"` : value;
    const lines = [names, ...shown.map(row => row.values)].map(line => line.map(field).join(",") + "\r\n");
    const url = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
    make("a", { href: url, download: "table.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  };

  // --- the chart ---
  const COLORS = ["#3b7dd8", "#e8833a", "#2a9d6e", "#c9527a", "#8a63d2", "#a8892c", "#2aa0b5", "#8c8c8c"];
  const choice = (label, options, value) => {
    const select = make("select", { ariaLabel: label, onchange: () => draw() }, ...options.map(([key, text]) => new Option(text, key)));
    if (value !== undefined) select.value = value;
    return [make("label", {}, label, " ", select), select];
  };
  const columns = wanted => names.map((name, at) => [String(at), name]).filter(([at]) => wanted(kinds[at]));
  const first = (...tests) => tests.map(test => kinds.findIndex(test)).find(at => at >= 0);
  const startX = first(kind => kind === "t", kind => kind === "s", () => true);
  const startY = kinds.findIndex((kind, at) => kind === "n" && at !== startX);
  const [kindLabel, kind] = choice("chart", ["line", "bar", "scatter", "histogram"].map(name => [name, name]),
    kinds[startX] === "s" ? "bar" : "line");
  const [xLabel, xChoice] = choice("x", columns(() => true), String(startX));
  const [yLabel, yChoice] = choice("y", [...columns(kind => kind === "n"), ["rows", "number of rows"]],
    startY < 0 ? "rows" : String(startY));
  const [howLabel, how] = choice("of equal x", ["sum", "mean", "min", "max"].map(name => [name, name]), "sum");
  const [byLabel, by] = choice("colour by", [["", "nothing"], ...columns(kind => kind !== "t")], "");
  const picture = make("div", { className: "picture" });
  const panel = make("div", { className: "chart", hidden: true },
    make("div", { className: "choices" }, kindLabel, xLabel, yLabel, howLabel, byLabel), picture);

  const escaped = text => String(text).replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`);
  const brief = value => Math.abs(value) >= 1e4
    ? value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 2 })
    : String(Number(value.toPrecision(6)));
  const combined = {
    sum: list => list.reduce((a, b) => a + b, 0), mean: list => combined.sum(list) / list.length,
    min: list => list.reduce((a, b) => Math.min(a, b)), max: list => list.reduce((a, b) => Math.max(a, b)),
  };
  const steps = (low, high, wanted) => {
    const rough = (high - low) / wanted || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(each => each * power >= rough) * power, begin = Math.ceil(low / step - 1e-9);
    // At most twice as many as wanted: beyond 2^53 adding one changes nothing.
    const all = Array.from({ length: 2 * wanted }, (_, at) => (begin + at) * step);
    return [...new Set(all)].filter(tick => tick <= high + step * 1e-9);
  };
  const when = span => {
    const day = 864e5, part = span > 900 * day ? [0, 7] : span > 3 * day ? [0, 10] : span > 6e4 ? [5, 16] : [11, 23];
    return at => new Date(at).toISOString().replace("T", " ").slice(...part);
  };
  const read = (column, value) => value === null ? null
    : kinds[column] === "n" ? Number(value) : kinds[column] === "t" ? Date.parse(value.replace(" ", "T") + (value.length > 10 ? "Z" : "")) : value;

  // Points by series: [{name, points: [[x, y]]}], what was left out, and whether x is a scale or a list of words.
  const collect = () => {
    const x = Number(xChoice.value), y = yChoice.value === "rows" ? -1 : Number(yChoice.value);
    const series = new Map();
    let unusable = 0;
    for (const row of shown) {
      const at = read(x, row.values[x]), value = y < 0 ? 1 : read(y, row.values[y]);
      if (at === null || value === null || !Number.isFinite(value) || (kinds[x] !== "s" && !Number.isFinite(at))) { unusable++; continue; }
      const name = by.value === "" ? "" : row.values[by.value] ?? "NULL";
      if (!series.has(name)) series.set(name, []);
      series.get(name).push([at, value]);
    }
    const all = [...series].map(([name, points]) => ({ name, points }));
    const kept = all.sort((a, b) => b.points.length - a.points.length).slice(0, COLORS.length);
    if (kind.value !== "scatter") {
      for (const each of kept) {
        const groups = new Map();
        for (const [at, value] of each.points) groups.set(at, [...(groups.get(at) || []), value]);
        each.points = [...groups].map(([at, values]) => [at, (y < 0 ? combined.sum : combined[how.value])(values)]);
        if (kinds[x] !== "s") each.points.sort((a, b) => a[0] - b[0]);
      }
    }
    const notes = [];
    if (unusable) notes.push(`${unusable} rows without a value`);
    if (all.length > kept.length) notes.push(`${all.length - kept.length} of ${all.length} colours`);
    return { x, series: kept, notes, words: kinds[x] === "s" };
  };

  // A histogram is a bar chart of how many values lie in each of twenty intervals.
  const intervals = data => {
    const values = data.series.flatMap(each => each.points.map(point => point[0]));
    const low = combined.min(values), step = (combined.max(values) - low) / 20 || 1, count = Array(20).fill(0);
    for (const value of values) count[Math.min(19, Math.floor((value - low) / step))]++;
    const label = kinds[data.x] === "t" ? when(step * 20) : brief;
    return { ...data, words: true, series: [{ name: "", points: count.map((n, at) => [label(low + at * step), n]) }] };
  };

  const draw = () => {
    const histogram = kind.value === "histogram";
    for (const label of [yLabel, byLabel]) label.hidden = histogram;
    howLabel.hidden = histogram || kind.value === "scatter" || yChoice.value === "rows";
    let data = histogram ? histogramData() : collect();
    if (!data.series.some(each => each.points.length)) {
      picture.textContent = data.refused || "There is nothing to draw: the rows shown have no values for x and y.";
      return;
    }
    const isBar = kind.value === "bar" || histogram;
    const places = [...new Set(data.series.flatMap(each => each.points.map(point => point[0])))];
    const listed = data.words || isBar;
    if (listed && !data.words) places.sort((a, b) => a - b);
    const most = isBar && !histogram ? 60 : 400;
    if (listed && places.length > most) data.notes.push(`${places.length - most} of ${places.length} values of x`);
    const words = listed ? places.slice(0, most) : [];
    const index = new Map(words.map((word, at) => [word, at]));
    const series = data.series.map(each => ({ ...each, points: listed ? each.points.filter(point => index.has(point[0])) : each.points }));

    const ys = series.flatMap(each => each.points.map(point => point[1]));
    const least = combined.min(ys), greatest = combined.max(ys);
    const fromZero = isBar || (least >= 0 && least < greatest / 2);
    const low = fromZero ? Math.min(0, least) : least, high = isBar ? Math.max(0, greatest) : greatest;
    const yTicks = steps(low, high === low ? low + (Math.abs(low) || 1) : high, 5), top = Math.max(high, yTicks[yTicks.length - 1]);
    const bottom = Math.min(low, yTicks[0]);
    const legend = series.length > 1;
    const width = Math.max(280, picture.clientWidth || 640), height = 280;
    const left = 12 + 7 * Math.max(...yTicks.map(tick => brief(tick).length)), right = 14, above = 12;
    const isTime = kinds[data.x] === "t", numbers = listed ? [] : places;
    const xLow = listed ? 0 : combined.min(numbers), xHigh = listed ? words.length : combined.max(numbers);
    const asText = isTime ? when(listed ? combined.max(words.map(word => isFinite(word) ? word : 0)) - combined.min(words.map(word => isFinite(word) ? word : 0)) : xHigh - xLow)
      : value => typeof value === "number" ? brief(value) : value;
    const label = word => data.words ? word : asText(word);
    const room = (width - left - right) / Math.max(1, words.length);
    const longest = listed ? Math.max(...words.map(word => String(label(word)).length)) : 0;
    const slanted = listed && longest * 7 > room;
    const below = slanted ? 22 + Math.min(90, longest * 4.6) : 26;
    const toX = value => left + (listed ? (index.get(value) + 0.5) * room : (value - xLow) / ((xHigh - xLow) || 1) * (width - left - right));
    const toY = value => above + (top - value) / ((top - bottom) || 1) * (height - above - below);
    const parts = [];
    for (const tick of yTicks) {
      parts.push(`<path class="grid" d="M${left} ${toY(tick)}H${width - right}"/><text x="${left - 6}" y="${toY(tick) + 4}" text-anchor="end">${brief(tick)}</text>`);
    }
    const floor = height - below + 16;
    if (listed) {
      const every = Math.max(1, Math.ceil(14 / room));
      words.forEach((word, at) => {
        if (at % every) return;
        const text = String(label(word)), cut = text.length > 20 ? text.slice(0, 19) + "…" : text;
        parts.push(slanted
          ? `<text transform="translate(${toX(word) + 4} ${floor - 6}) rotate(-40)" text-anchor="end">${escaped(cut)}</text>`
          : `<text x="${toX(word)}" y="${floor}" text-anchor="middle">${escaped(cut)}</text>`);
      });
    } else {
      const count = Math.max(2, Math.floor((width - left - right) / 110));
      const ticks = isTime ? Array.from({ length: count + 1 }, (_, at) => xLow + (xHigh - xLow) * at / count) : steps(xLow, xHigh, count);
      for (const tick of new Set(ticks)) {
        const anchor = toX(tick) > width - 50 ? "end" : toX(tick) < left + 30 ? "start" : "middle";
        parts.push(`<text x="${toX(tick)}" y="${floor}" text-anchor="${anchor}">${escaped(asText(tick))}</text>`);
      }
    }
    series.forEach((each, nth) => {
      const color = COLORS[nth], title = point => `<title>${escaped(`${each.name ? each.name + ", " : ""}${label(point[0])}: ${brief(point[1])}`)}</title>`;
      if (isBar) {
        const thick = Math.max(1, Math.min(60, room * 0.8 / series.length));
        for (const point of each.points) {
          const x = toX(point[0]) + (nth - series.length / 2) * thick, y = Math.min(toY(point[1]), toY(0));
          parts.push(`<rect x="${x}" y="${y}" width="${thick}" height="${Math.abs(toY(point[1]) - toY(0))}" fill="${color}">${title(point)}</rect>`);
        }
        return;
      }
      if (kind.value === "line") {
        const ordered = listed ? [...each.points].sort((a, b) => index.get(a[0]) - index.get(b[0])) : each.points;
        parts.push(`<path fill="none" stroke="${color}" stroke-width="2" d="M${ordered.map(point => `${toX(point[0])} ${toY(point[1])}`).join("L")}"/>`);
      }
      if (kind.value === "scatter" || each.points.length <= 100) {
        for (const point of each.points) parts.push(`<circle cx="${toX(point[0])}" cy="${toY(point[1])}" r="3" fill="${color}">${title(point)}</circle>`);
      }
    });
    picture.innerHTML = `<svg width="${width}" height="${height}" role="img" aria-label="${kind.value} chart">${parts.join("")}</svg>`;
    if (legend) {
      picture.append(make("div", { className: "legend" }, ...series.map((each, nth) => {
        const mark = make("span", { textContent: "■ " });
        mark.style.color = COLORS[nth];
        return make("span", {}, mark, each.name || "(empty)");
      })));
    }
    if (data.notes.length) picture.append(make("div", { textContent: `not drawn: ${data.notes.join("; ")}` }));
  };
  const histogramData = () => {
    const data = collect();
    if (data.words) return { series: [], notes: [], refused: "A histogram needs numbers or times as x." };
    const x = data.x, points = shown.map(row => read(x, row.values[x])).filter(value => value !== null && Number.isFinite(value)).map(value => [value, 1]);
    return points.length ? intervals({ ...data, series: [{ name: "", points }], notes: [] }) : { series: [], notes: [] };
  };

  const filter = make("input", {
    type: "search", placeholder: "filter", ariaLabel: "filter the rows", oninput: refresh,
    title: 'Words that a row must contain. About one column: total>=10, state=SP, reason=NULL, "order status=done"',
  });
  const chartButton = make("button", {
    type: "button", textContent: "Chart", ariaExpanded: "false", onclick: () => {
      panel.hidden = !panel.hidden;
      chartButton.ariaExpanded = String(!panel.hidden);
      if (!panel.hidden) draw();
    },
  });
  const csv = make("button", { type: "button", textContent: "CSV", title: "download the rows that are shown", onclick: download });
  root.prepend(make("div", { className: "tools" }, filter, csv, chartButton), panel);
  heads.forEach((head, at) => {
    head.tabIndex = 0;
    head.title = "sort";
    head.onclick = () => sort(at);
    head.onkeydown = event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(at); } };
  });
  // JupyterLab's: a key pressed in one of these is not a command for the notebook, such as D D, which deletes the cell.
  for (const each of root.querySelectorAll("input, select, button, th")) each.dataset.lmSuppressShortcuts = "true";
  body.addEventListener("click", event => { // a long value is cut to one line until it is clicked
    const cell = event.target.closest("td");
    if (cell && getSelection().isCollapsed) cell.classList.toggle("whole");
  });
  new ResizeObserver(() => { if (!panel.hidden) draw(); }).observe(root);
})
