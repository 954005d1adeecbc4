// A form of any kind: rows, what depends on what, files, catalogue suggestions, and a draft in this tab until it is
// saved. Everything is worked out by the server; the page works without this file, too.
"use strict";

const form = document.getElementById("document-form");
const NEVER = new Set(["csrf_token", "_account", "version", "key", "do"]);
const LOOK_MS = 350;

// ── what the server says of the form as it stands ────────────────────────
const touched = new Set();
let timer = 0;
let asked = 0;

function posted() {
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
  return data;
}

function boxOf(element) {
  return element.closest("[data-path]");
}

function show(element, text, visible = !!text) {
  if (!element) return;
  element.textContent = text;
  element.hidden = !visible;
}

// What is typed and worked out, or has a default: never while it is being typed.
function fill(input, text) {
  if (input && input !== document.activeElement) input.value = text;
}

function draw(box, told) {
  const part = (mark) => box.querySelector(`:scope > [data-${mark}], :scope > label [data-${mark}], :scope > legend [data-${mark}], :scope > h2 [data-${mark}]`);
  const loud = form.dataset.loud || touched.has(box.dataset.path);
  box.hidden = told.hidden;
  box.dataset.state = told.state === "bad" && !loud ? "" : told.state;
  show(part("wrong"), told.error, !!told.error && !!loud);
  show(part("doubt"), told.doubt);
  show(part("note"), told.note);
  const must = part("must");
  if (must) must.hidden = !told.required;
  if (told.text !== null && part("text")) part("text").textContent = told.text || "—";
  else if (told.text !== null) fill(box.querySelector("input:not([type=radio]):not([type=checkbox]), select"), told.text);
  if (box.dataset.table !== undefined) return;
  for (const input of box.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (told.error && loud) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

function take(told) {
  for (const box of form.querySelectorAll("[data-path]")) {
    if (told.boxes[box.dataset.path]) draw(box, told.boxes[box.dataset.path]);
  }
  for (const section of form.querySelectorAll("section.card")) {
    section.hidden = [...section.querySelectorAll("[data-path]")].every((box) => box.hidden);
  }
  const amount = form.querySelector("[data-amount]");
  if (amount) amount.textContent = told.amount;
  form.querySelector("[data-left]").textContent = told.wrong ? `还有 ${told.wrong} 处没填好` : "全部填对了";
  const loose = document.querySelector("[data-loose]");
  loose.hidden = !told.doubts.length;
  loose.firstElementChild.replaceChildren(
    ...told.doubts.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
}

async function look() {
  const turn = ++asked;
  try {
    const answer = await fetch(form.dataset.look, { method: "POST", body: posted(), headers: { "HX-Request": "true" } });
    if (answer.ok && turn === asked) take(await answer.json());
  } catch {
    // without a network nothing is worked out; what was typed stays and is judged when it is saved
  }
}

function soon() {
  clearTimeout(timer);
  asked += 1; // an answer that is under way is about an older form
  timer = setTimeout(look, LOOK_MS);
}

// ── rows ─────────────────────────────────────────────────────────────────
function rename(row, table, number) {
  const dotted = new RegExp(`^((?:f\\.|remove:)?${table}\\.)(?:\\d+|__)`);
  const dashed = new RegExp(`f-${table}-(?:\\d+|__)(?=-|$)`, "g");
  for (const element of row.querySelectorAll("*")) {
    for (const name of ["name", "value", "data-path"]) {
      if (name === "value" && !element.matches("button")) continue;
      const given = element.getAttribute(name);
      if (given) element.setAttribute(name, given.replace(dotted, `$1${number}`));
    }
    for (const name of ["id", "for", "aria-describedby"]) {
      const given = element.getAttribute(name);
      if (given) element.setAttribute(name, given.replace(dashed, `f-${table}-${number}`));
    }
  }
  row.querySelector("[data-row-number]").textContent = number + 1;
}

function number(table) {
  [...table.querySelectorAll("[data-row]")].forEach((row, at) => rename(row, table.dataset.table, at));
}

function add(table) {
  const copy = table.querySelector("template").content.firstElementChild.cloneNode(true);
  table.querySelector("[data-rows]").append(copy);
  number(table);
  return copy;
}

function firstField(row) {
  return row?.querySelector("input:not([type=hidden]), select, textarea");
}

// ── draft ────────────────────────────────────────────────────────────────
const place = form.dataset.keep;

function values() {
  return [...posted()].filter(([name]) => !NEVER.has(name));
}

const saved = JSON.stringify(values());

function keep() {
  const now = values();
  if (JSON.stringify(now) === saved) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, JSON.stringify({ version: form.dataset.keepVersion, values: now }));
}

function restore() {
  const draft = JSON.parse(sessionStorage.getItem(place) || "null");
  const failed = form.parentElement.querySelector(".note.bad"); // the server just gave back what was typed
  if (!draft || failed || draft.version !== form.dataset.keepVersion) return;
  for (const table of form.querySelectorAll("[data-table]")) {
    if (!table.querySelector("[data-rows]")) continue;
    const wanted = draft.values.filter(([name]) => new RegExp(`^f\\.${table.dataset.table}\\.\\d+\\._$`).test(name)).length;
    const there = () => table.querySelectorAll("[data-row]");
    while (there().length < wanted) add(table);
    while (there().length > wanted) [...there()].pop().remove();
  }
  const known = new Map();
  for (const [name, value] of draft.values) known.set(name, [...(known.get(name) || []), value]);
  for (const field of form.elements) {
    if (!field.name?.startsWith("f.") || field.type === "file") continue;
    const given = known.get(field.name) || [];
    if (field.type === "radio" || field.type === "checkbox") field.checked = given.includes(field.value);
    else if (given.length) field.value = given[0];
  }
  for (const upload of form.querySelectorAll(".upload")) {
    show(upload.querySelector("[data-has]"), "");
    const name = upload.querySelector("[data-file-name]").value;
    upload.querySelector("[data-has]").textContent = name;
    upload.querySelector("[data-has]").hidden = !name;
  }
  document.querySelector("[data-restored]").hidden = false;
}

// ── catalogue ────────────────────────────────────────────────────────────
async function suggest(input, list, names) {
  const text = input.value.trim().split(" ")[0];
  if (!text) return;
  const answer = await fetch(`/catalogue/options?text=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const found = new DOMParser().parseFromString(`<select>${await answer.text()}</select>`, "text/html");
  list.replaceChildren(
    ...[...found.querySelectorAll("option")].map((option) => {
      const copy = document.createElement("option");
      copy.value = names ? option.value.split(" ").slice(1).join(" ") : option.value;
      copy.textContent = option.textContent;
      return copy;
    }),
  );
}

// A suggestion puts in code and name: the code stays, the name goes where a name is missing.
function chosen(input) {
  const [code, ...rest] = input.value.split(" ");
  input.value = code;
  const beside = [input.name.replace(/\.[^.]+$/, ".name"), "f.name"];
  for (const name of beside) {
    const field = form.elements[name];
    if (field && field !== input && !field.value) field.value = rest.join(" ");
  }
}

// ── files ────────────────────────────────────────────────────────────────
async function upload(input) {
  const holder = input.closest(".upload");
  const box = boxOf(input);
  const wrong = box.querySelector("[data-wrong]");
  const data = new FormData();
  data.append("file", input.files[0]);
  data.append("csrf_token", form.elements.csrf_token.value);
  holder.setAttribute("aria-busy", "true");
  let sentence = "网络没有接通，文件没有传上去，请再选一次。";
  try {
    const answer = await fetch(input.dataset.upload, { method: "POST", body: data, headers: { Accept: "application/json", "HX-Request": "true" } });
    if (answer.ok) {
      const file = await answer.json();
      holder.querySelector("[data-sha]").value = file.sha256;
      holder.querySelector("[data-file-name]").value = file.name;
      show(holder.querySelector("[data-has]"), file.name);
      sentence = "";
    } else {
      sentence = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim() || "文件没有传上去，请再选一次。";
    }
  } catch {
    // said below
  }
  holder.removeAttribute("aria-busy");
  input.value = "";
  show(wrong, sentence);
  if (!sentence) {
    keep();
    soon();
  }
}

// ── together ─────────────────────────────────────────────────────────────
if (form) {
  restore();
  look();
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (field.type === "file") return;
    const names = field.matches("[data-names]");
    if (names || field.matches("[data-catalogue]")) {
      setTimeout(() => suggest(field, document.getElementById(names ? "names" : "codes"), names), 0);
    }
    if (field.matches("[data-catalogue]") && field.value.includes(" ")) chosen(field);
    keep();
    soon();
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-upload]") && event.target.files.length) upload(event.target);
    const box = boxOf(event.target);
    if (box) touched.add(box.dataset.path);
  });
  form.addEventListener("click", (event) => {
    const adding = event.target.closest("[data-add]");
    const removing = event.target.closest("[data-remove]");
    if (!adding && !removing) return;
    event.preventDefault();
    const table = (adding || removing).closest("[data-table]");
    if (adding) firstField(add(table))?.focus();
    else {
      const row = removing.closest("[data-row]");
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      number(table);
      (firstField(next) || table.querySelector("[data-add]")).focus();
    }
    touched.clear();
    keep();
    soon();
  });
  document.querySelector("[data-forget-link]")?.addEventListener("click", () => sessionStorage.removeItem(place));
  document.querySelector("[data-forget]").addEventListener("click", () => {
    sessionStorage.removeItem(place);
    location.reload();
  });
}
