"use strict";
document.documentElement.classList.add("script");

const byId = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll("table.overview tbody tr")];
const article = (row) => byId(row.dataset.anchor);
const texts = new Map(rows.map((row) => {
  const told = [row, ...article(row).querySelectorAll(".reason, .source, .notes")];
  return [row, told.map((element) => element.textContent).join(" ").toLowerCase()];
}));

// -- Light and dark ----------------------------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = byId("theme");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : dark.matches;
}

function nameTheme() {
  theme.textContent = isDark() ? "Light" : "Dark";
}

theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
dark.addEventListener("change", nameTheme);
nameTheme();

// -- Filters and order -------------------------------------------------------------------------------------------

function filter() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const fits = words.every((word) => texts.get(row).includes(word)) &&
      ["paper", "theory", "status", "kind"].every((name) => !byId(name).value || byId(name).value === row.dataset[name]);
    row.hidden = !fits;
    article(row).hidden = !fits;
    shown += fits;
  }
  for (const section of document.querySelectorAll(".source-section")) {
    section.hidden = !rows.some((row) => row.dataset.section === section.id && !row.hidden);
  }
  byId("shown").textContent = shown === rows.length ? `${shown} claim${shown === 1 ? "" : "s"}`
    : `${shown} of ${rows.length} claims`;
  byId("nothing").hidden = shown > 0;
}

function order(header) {
  const column = [...header.parentElement.children].indexOf(header);
  const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);
  const key = (row) => row.dataset[header.dataset.key] ?? row.cells[column].textContent.trim();
  const sorted = [...rows].sort((a, b) => key(a).localeCompare(key(b)));
  if (direction === "descending") sorted.reverse();
  sorted[0].parentElement.append(...sorted);
}

// A link to a claim shows it, whatever the filters say.
function reveal() {
  let name = location.hash.slice(1);
  try {
    name = decodeURIComponent(name);
  } catch {
    // No valid escape, hence no claim of ours; everything else on the page goes on.
  }
  const target = byId(name);
  if (target && target.hidden) {
    document.querySelector("form.filters").reset();
    filter();
    target.scrollIntoView();
  }
}

if (rows.length) {
  const form = document.querySelector("form.filters");
  form.addEventListener("input", filter);
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const button of document.querySelectorAll("button.sort")) {
    button.addEventListener("click", () => order(button.parentElement));
  }
  addEventListener("hashchange", reveal);
  // The browser may have kept what was typed before a reload.
  filter();
  reveal();
}

// -- Copying and printing ----------------------------------------------------------------------------------------

for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});
