// Rows, totals, catalogue suggestions, and a draft in this tab until the plan is saved.
"use strict";

const form = document.getElementById("plan-form");
const NEVER = new Set(["csrf_token", "_account", "version", "key"]);

function fen(text) {
  const plain = text.replace(/[,，元¥\s]/g, "");
  const match = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(plain);
  return match ? BigInt(match[1]) * 100n + BigInt((match[2] || "").padEnd(2, "0")) : 0n;
}

function yuan(amount) {
  const whole = (amount / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}.${(amount % 100n).toString().padStart(2, "0")}`;
}

function rows(kind) {
  return [...form.querySelectorAll(`[data-rows=${kind}] > [data-row]`)];
}

function recount() {
  let total = 0n;
  rows("line").forEach((row, index) => {
    const quantity = row.querySelector("[data-quantity]").value.trim();
    const sum = /^\d{1,9}$/.test(quantity) ? BigInt(quantity) * fen(row.querySelector("[data-price]").value) : 0n;
    row.querySelector("[data-sum]").textContent = yuan(sum);
    row.querySelector("[data-row-number]").textContent = index + 1;
    total += sum;
  });
  const funded = rows("fund").reduce((sum, row) => sum + fen(row.querySelector("[data-fund]").value), 0n);
  form.querySelector("[data-total]").textContent = yuan(total);
  form.querySelector("[data-funded]").textContent = yuan(funded);
  form.querySelector("[data-differs]").hidden = total === funded || funded === 0n;
}

let made = 0;
function add(kind) {
  const template = form.querySelector(`template[data-template=${kind}]`);
  const holder = document.createElement("div");
  holder.append(template.content.cloneNode(true));
  made += 1;
  holder.querySelectorAll("[id]").forEach((e) => (e.id = e.id.replace("__", `n${made}`)));
  holder.querySelectorAll("[for]").forEach((e) => e.setAttribute("for", e.getAttribute("for").replace("__", `n${made}`)));
  const row = holder.firstElementChild;
  form.querySelector(`[data-rows=${kind}]`).append(row);
  recount();
  return row;
}

// ── draft ────────────────────────────────────────────────────────────────
const place = form.dataset.keep;
const saved = JSON.stringify(values());

function values() {
  return [...new FormData(form)].filter(([name]) => !NEVER.has(name));
}

function keep() {
  const now = values();
  if (JSON.stringify(now) === saved) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, JSON.stringify({ version: form.dataset.keepVersion, values: now }));
}

function restore() {
  const draft = JSON.parse(sessionStorage.getItem(place) || "null");
  const failed = form.parentElement.querySelector(".note.bad"); // the server just gave back what was typed
  if (!draft || failed || draft.version !== form.dataset.keepVersion) return;
  const variant = draft.values.find(([name]) => name === "variant")?.[1];
  if (variant !== form.elements.variant.value) return;
  const count = (name) => draft.values.filter(([key]) => key === name).length;
  while (rows("line").length < count("line_name")) add("line");
  while (rows("line").length > Math.max(count("line_name"), 1)) rows("line").pop().remove();
  while (rows("fund").length && rows("fund").length < count("funding_amount")) add("fund");
  const seen = {};
  for (const [name, value] of draft.values) {
    const fields = [...form.querySelectorAll(`[name="${name}"]`)];
    if (fields[0]?.type === "radio") fields.forEach((f) => (f.checked = f.value === value));
    else {
      seen[name] = (seen[name] ?? -1) + 1;
      if (fields[seen[name]]) fields[seen[name]].value = value;
    }
  }
  document.querySelector("[data-restored]").hidden = false;
}

// ── catalogue ────────────────────────────────────────────────────────────
let timer;
async function suggest(input, list, names) {
  const text = input.value.trim().split(" ")[0];
  if (!text) return;
  const answer = await fetch(`/catalogue/options?text=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const found = new DOMParser().parseFromString(`<select>${await answer.text()}</select>`, "text/html");
  const options = [...found.querySelectorAll("option")].map((option) => {
    const copy = document.createElement("option");
    copy.value = names ? option.value.split(" ").slice(1).join(" ") : option.value;
    copy.textContent = option.textContent;
    return copy;
  });
  list.replaceChildren(...options);
}

if (form) {
  restore();
  recount();
  form.addEventListener("input", (event) => {
    const field = event.target;
    recount();
    keep();
    const names = field.matches("[data-plan-name]");
    if (names || field.matches("[data-catalogue]")) {
      clearTimeout(timer);
      timer = setTimeout(() => suggest(field, document.getElementById(names ? "names" : "catalogue"), names), 150);
    }
    if (field.matches("[data-catalogue]") && field.value.includes(" ")) {
      const [code, ...rest] = field.value.split(" ");
      const name = field.closest("[data-row]").querySelector("[data-name]");
      field.value = code;
      if (!name.value) name.value = rest.join(" ");
      if (!form.elements.name.value) form.elements.name.value = rest.join(" ");
    }
  });
  form.addEventListener("click", (event) => {
    const adding = event.target.closest("[data-add]");
    const removing = event.target.closest("[data-remove]");
    if (adding) add(adding.dataset.add).querySelector("input, select").focus();
    if (removing) {
      const row = removing.closest("[data-row]");
      const holder = row.parentElement;
      row.remove();
      if (!holder.children.length) add(holder.dataset.rows);
      holder.lastElementChild.querySelector("input, select").focus();
      recount();
    }
    if (adding || removing) keep();
  });
  document.querySelector("[data-forget]").addEventListener("click", () => {
    sessionStorage.removeItem(place);
    location.reload();
  });
}
