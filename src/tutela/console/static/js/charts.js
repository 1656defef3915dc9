// Draws each chart from the table that stands below it, so that both always say the same.
/* global uPlot */

const language = document.documentElement.lang;
const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
const DASHES = [[], [8, 4], [2, 3]];

function colours() {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  document.body.append(probe);
  const resolved = (name) => {
    probe.style.color = style.getPropertyValue(name);
    return getComputedStyle(probe).color;
  };
  const found = {
    text: resolved("--quiet"),
    line: resolved("--line"),
    card: resolved("--card"),
    series: ["--accent", "--careful", "--unwell"].map(resolved),
  };
  probe.remove();
  return found;
}

function time(seconds) {
  if (seconds == null) return "–";
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, each]) => seconds >= 2 * each) ?? ["second", 1];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(seconds / size);
}

function read(table) {
  const names = [...table.querySelectorAll("th[data-series]")].map((each) => each.textContent);
  const rows = [...table.tBodies[0].rows].reverse();
  const days = rows.map((row) => Date.parse(row.cells[0].dataset.value) / 1000);
  const values = names.map((_, at) => rows.map((row) => {
    const value = row.cells[at + 1].dataset.value;
    return value === "" ? null : Number(value);
  }));
  return { names, data: [days, ...values] };
}

function draw(place) {
  const table = document.getElementById(place.dataset.chart);
  const { names, data } = read(table);
  if (data[0].length === 0) return;
  const paint = colours();
  const show = table.dataset.unit === "time" ? time : (value) => (value == null ? "–" : number.format(value));
  const bars = table.dataset.kind === "bars" ? uPlot.paths.bars({ size: [0.7, 40], align: 0 }) : undefined;
  const axis = { stroke: paint.text, grid: { stroke: paint.line, width: 1 }, ticks: { stroke: paint.line, width: 1 }, font: `12px ${getComputedStyle(document.body).fontFamily}` };
  const single = names.length === 1;
  place.replaceChildren();
  return new uPlot({
    width: place.clientWidth,
    height: 220,
    tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "UTC"),
    cursor: { drag: { x: false, y: false } },
    scales: { x: { range: (_, low, high) => [low - 43200, high + 43200] }, y: { range: (_, __, high) => [0, Math.max(1, (high ?? 0) * 1.05)] } },
    axes: [
      { ...axis, values: (_, stamps) => stamps.map((stamp) => (stamp % 86400 === 0 ? day.format(new Date(stamp * 1000)) : "")) },
      { ...axis, size: 70, values: (_, values) => values.map((value) => (table.dataset.unit === "time" || Number.isInteger(value) ? show(value) : "")) },
    ],
    series: [
      { label: table.tHead.rows[0].cells[0].textContent, value: (_, stamp) => (stamp == null ? "–" : day.format(new Date(stamp * 1000))) },
      ...names.map((label, at) => ({
        label,
        stroke: paint.series[at],
        fill: bars && single ? paint.series[at] : undefined,
        width: 2,
        dash: single ? undefined : DASHES[at],
        paths: single ? bars : undefined,
        points: { show: data[0].length < 40 && !single, size: 6, fill: paint.card },
        value: (_, value) => show(value),
      })),
    ],
  }, data, place);
}

const places = [...document.querySelectorAll("[data-chart]")];
let drawn = places.map(draw);

function redraw() {
  for (const each of drawn) each?.destroy();
  drawn = places.map(draw);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("resize", () => places.forEach((place, at) => drawn[at]?.setSize({ width: place.clientWidth, height: 220 })));
