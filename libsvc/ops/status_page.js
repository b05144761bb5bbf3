"use strict";
// Refreshes the tables that the page has come with. Everything becomes text, and nothing markup.
const every = 2000;
const live = document.getElementById("live");
const seen = {};

function rounded(number, decimals, unit) {
  return number.toFixed(decimals) + unit;
}

function seconds(value) {
  if (value < 1e-3) return rounded(value * 1e6, 0, " \u00b5s");
  if (value < 1) return rounded(value * 1e3, 1, " ms");
  if (value < 120) return rounded(value, 1, " s");
  if (value < 7200) return rounded(value / 60, 0, " min");
  if (value < 172800) return rounded(value / 3600, 1, " h");
  return rounded(value / 86400, 1, " d");
}

const formats = {
  text: String, state: String, number: String, seconds,
  rate: value => rounded(value, 1, "/s"),
  share: value => rounded(value * 100, 1, " %"),
};

function cell(value, head) {
  const td = document.createElement("td");
  const unit = head.dataset.unit;
  td.className = unit;
  td.dataset.title = head.textContent;
  td.textContent = value === null ? "\u2013" : formats[unit](value);
  if (unit === "state") td.dataset.state = value;
  return td;
}

function show(table, data) {
  const heads = [...table.tHead.rows[0].cells];
  const body = document.createElement("tbody");
  for (const row of data.rows)
    body.insertRow().append(...heads.map(head => cell(row[head.dataset.key], head)));
  table.tBodies[0].replaceWith(body);
  table.nextElementSibling.textContent = data.left_out ? `and ${data.left_out} more` : "";
}

async function refresh() {
  const reply = await fetch("vars", { cache: "no-store", signal: AbortSignal.timeout(10000) });
  if (!reply.ok) throw new Error(`status ${reply.status}`);
  const vars = await reply.json();
  for (const table of document.querySelectorAll("table")) {
    const text = JSON.stringify(vars[table.id]);
    if (seen[table.id] !== text) show(table, vars[table.id]);
    seen[table.id] = text;
  }
}

async function run() {
  if (!document.hidden) {
    try {
      await refresh();
      live.className = live.title = "";
      live.textContent = `as of ${new Date().toLocaleTimeString()}`;
    } catch (error) {
      live.className = "stale";
      live.textContent ||= "not refreshed";
      live.title = error.message;
    }
  }
  setTimeout(run, every);
}

setTimeout(run, every);
