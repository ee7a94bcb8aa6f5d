// Hides the operators that the form does not ask for; without script the table is whole.
"use strict";

const form = document.querySelector("form");
const rows = [...document.querySelectorAll("tr[data-name]")];

function filter() {
  const name = document.getElementById("text").value.trim().toLowerCase();
  const which = document.getElementById("which").value;
  let count = 0;
  for (const row of rows) {
    row.hidden = !row.dataset.name.includes(name) || (which !== "" && !(which in row.dataset));
    count += row.hidden ? 0 : 1;
  }
  document.getElementById("found").textContent = `${count} of ${rows.length} operators`;
}

form?.addEventListener("input", filter);
form?.addEventListener("submit", (event) => event.preventDefault());
