// The search page. Its data comes in scripts (data/index.js, then the pieces it names), because a page
// opened from a file may load nothing else. Whatever builds said gets into the page as text only.
"use strict";

const SHOWN = 200;
const ABSENT = ".";
const FIELDS = ["text", "suite", "cell", "outcome", "verdict", "operator"];

const byId = (id) => document.getElementById(id);
const rows = [];
let index = null;
let matches = [];
let shown = 0;
let loaded = 0;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function load(path) {
  document.head.append(element("script", { src: path }));
}

window.ortMatrix = {
  begin(told) {
    index = told;
    for (const [cell] of index.cells) {
      byId("head").append(element("th", { scope: "col", class: "cell" }, element("span", {}, cell)));
      byId("cell").append(element("option", { value: cell }, cell));
    }
    byId("head").append(element("th", { scope: "col", class: "said" }, "What was seen"));
    for (const suite of index.suites) byId("suite").append(element("option", { value: suite }, suite));
    for (const [letter, [, word]] of Object.entries(index.outcomes)) {
      byId("outcome").append(element("option", { value: letter }, word));
    }
    byId("outcome").append(element("option", { value: "!P" }, "not pass"));
    byId("verdict").append(element("option", { value: "!" }, "any that is unexpected"));
    for (const [letter, [word]] of Object.entries(index.verdicts)) {
      byId("verdict").append(element("option", { value: letter }, word));
    }
    for (const operator of index.operators) {
      byId("operators").append(element("option", { value: operator }));
    }
    fromAddress();
    if (index.pieces.length) load(index.pieces[0]);
    else tell();
  },
  take(piece) {
    const taken = piece.map(([name, page, suite, outcomes, verdicts, operators, said]) => {
      const text = [name, operators, ...said].join("\n").toLowerCase();
      return { name, page, suite, outcomes, verdicts, operators: operators.split(" "), said, text };
    });
    rows.push(...taken);
    loaded += 1;
    if (loaded < index.pieces.length) load(index.pieces[loaded]);
    matches.push(...taken.filter(isWanted()));
    tell(); // only at the end of what is shown: whoever reads or tabs through the rows stays there
  },
};

function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of FIELDS) byId(field).value = asked.get(field) ?? "";
}

function intoAddress() {
  const asked = new URLSearchParams();
  for (const field of FIELDS) if (byId(field).value) asked.set(field, byId(field).value);
  history.replaceState(null, "", `#${asked}`);
}

// Whether on one cell the outcome and the verdict are both as asked.
function isAsAsked(row, at, outcome, verdict) {
  const [seen, judged] = [row.outcomes[at], row.verdicts[at]];
  if (seen === ABSENT) return false;
  if (outcome === "!P" ? seen === "P" : outcome && seen !== outcome) return false;
  return verdict === "!" ? index.verdicts[judged][1] : !verdict || judged === verdict;
}

// What the form asks for, as a function that says whether a row is it.
function isWanted() {
  const asked = Object.fromEntries(FIELDS.map((field) => [field, byId(field).value.trim()]));
  const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
  const columns = index.cells.flatMap(([cell], at) => (!asked.cell || cell === asked.cell ? [at] : []));
  return (row) =>
    (!asked.suite || row.suite === asked.suite) &&
    (!asked.operator || row.operators.includes(asked.operator)) &&
    words.every((word) => row.text.includes(word)) &&
    columns.some((at) => isAsAsked(row, at, asked.outcome, asked.verdict));
}

function search() {
  matches = rows.filter(isWanted());
  shown = 0;
  byId("rows").replaceChildren();
  tell();
}

function tell() {
  if (shown < SHOWN) showMore(SHOWN - shown);
  const loading = rows.length < index.cases ? `, still loading (${rows.length} of ${index.cases})` : "";
  byId("found").textContent = `${matches.length} of ${index.cases} cases${loading}`;
}

function showMore(count) {
  const next = matches.slice(shown, shown + count);
  byId("rows").append(...next.map(asRow));
  shown += next.length;
  byId("more").hidden = shown === matches.length;
}

function asRow(row) {
  const marks = [...row.outcomes].map((letter, at) => asMark(letter, row.verdicts[at]));
  const name = element("th", { scope: "row" }, element("a", { href: row.page }, row.name));
  return element("tr", {}, name, ...marks, element("td", { class: "said" }, row.said.join(" · ")));
}

function asMark(letter, verdict) {
  if (letter === ABSENT) return element("td", { class: "o" });
  const [kind, word, glyph] = index.outcomes[letter];
  const [judged, unexpected] = index.verdicts[verdict];
  const said = unexpected ? `${word}, ${judged}` : word;
  const look = `m ${kind}${unexpected ? " attention" : ""}`;
  const mark = element("span", { class: look, title: said, "aria-hidden": "true" }, glyph);
  return element("td", { class: "o" }, mark, element("span", { class: "sr" }, said));
}

function step(from, by) {
  const links = [...byId("rows").querySelectorAll("th a")];
  const next = links[links.indexOf(from) + by];
  (next ?? (by < 0 ? byId("text") : from)).focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement;
  const inRows = byId("rows").contains(at);
  if (event.key === "/" && !/INPUT|SELECT/.test(at.tagName)) byId("text").focus();
  else if (event.key === "ArrowDown" && (inRows || at === byId("text"))) step(at, 1);
  else if (event.key === "ArrowUp" && inRows) step(at, -1);
  else return;
  event.preventDefault();
});

document.querySelector("form").addEventListener("input", () => {
  intoAddress();
  search();
});
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
document.querySelector("form").addEventListener("reset", () => {
  setTimeout(() => {
    intoAddress();
    search();
  });
});
byId("more").addEventListener("click", () => {
  const first = shown;
  showMore(SHOWN);
  byId("rows").rows[first].querySelector("a").focus();
});
window.addEventListener("hashchange", () => {
  fromAddress();
  search();
});

load("data/index.js");
