// Small comforts. Every page works without this file.
"use strict";

// ── conversation ─────────────────────────────────────────────────────────
const log = document.getElementById("log");
const composer = document.getElementById("composer");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function toEnd() {
  log.scrollTo({ top: log.scrollHeight, behavior: calm.matches ? "auto" : "smooth" });
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = Math.min(area.scrollHeight + 2, 160) + "px";
}

function bubble(text) {
  const said = document.createElement("div");
  said.className = "said me pending";
  const inner = document.createElement("div");
  inner.className = "bubble";
  inner.textContent = text;
  said.append(inner);
  return said;
}

if (composer && log) {
  const text = document.getElementById("text");
  let pending = null;
  log.scrollTop = log.scrollHeight;
  text.addEventListener("input", () => grow(text));
  text.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return; // a suggestion was chosen
    // while an input method composes, Enter chooses a word
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-say]");
    if (!button) return;
    text.value = button.dataset.say;
    composer.requestSubmit();
  });
  composer.addEventListener("htmx:beforeRequest", () => {
    document.getElementById("flash").replaceChildren();
    pending = bubble(text.value);
    log.append(pending);
    text.dataset.sent = text.value;
    text.value = "";
    grow(text);
    toEnd();
  });
  composer.addEventListener("htmx:afterRequest", (event) => {
    pending?.remove();
    if (event.detail.successful) return;
    if (!text.value) text.value = text.dataset.sent; // nothing typed is lost; the same key goes with it again
    grow(text);
    if (!event.detail.xhr.status) {
      const note = document.createElement("p");
      note.className = "note bad";
      note.textContent = "网络没有接通，消息还在输入框里，请再点一次发送。";
      document.getElementById("flash").replaceChildren(note);
    }
  });
  log.addEventListener("htmx:afterSettle", (event) => {
    const asked = event.detail.requestConfig?.elt === composer;
    if (event.detail.requestConfig?.elt?.matches(".rate")) return;
    for (const old of log.querySelectorAll(".said:not(:last-child) .choices")) old.classList.add("past");
    toEnd();
    if (asked) text.focus({ preventScroll: true });
  });
}

// ── a list dropped into the conversation ─────────────────────────────────
const sheet = document.getElementById("sheet-file");
if (sheet && log) {
  const talk = log.closest(".talk");
  talk.addEventListener("dragover", (event) => event.preventDefault());
  talk.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    sheet.files = event.dataTransfer.files;
    sheet.dispatchEvent(new Event("change", { bubbles: true }));
  });
  // the same file, mended, can be chosen again
  sheet.form.addEventListener("htmx:afterRequest", () => sheet.form.reset());
}

// ── questions like the one being typed ───────────────────────────────────
const field = document.querySelector("[data-suggest]");
if (field) {
  const list = document.getElementById("suggest");
  let timer = 0;
  let asked = "";

  const options = () => [...list.children];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function close() {
    clearTimeout(timer);
    asked = "";
    list.hidden = true;
    list.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function mark(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
  }

  function take(option) {
    field.value = option.textContent;
    close();
    composer.requestSubmit();
  }

  async function look() {
    const typed = field.value.trim();
    if (typed.length < 2 || typed.length > 60 || typed.includes("\n")) return close();
    asked = typed;
    let items = [];
    try {
      const answer = await fetch(field.dataset.suggest + "?q=" + encodeURIComponent(typed));
      if (answer.ok) items = (await answer.json()).items;
    } catch {
      return; // suggestions are a comfort: without a network there are none
    }
    if (asked !== typed || document.activeElement !== field) return; // too late
    list.replaceChildren(
      ...items.map((title, at) => {
        const option = document.createElement("li");
        option.id = "suggest-" + at;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = title;
        return option;
      }),
    );
    list.hidden = !items.length;
    field.setAttribute("aria-expanded", String(!!items.length));
    field.removeAttribute("aria-activedescendant");
  }

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    asked = "";
    if (!event.isComposing) timer = setTimeout(look, 250);
  });
  field.addEventListener("compositionend", () => {
    timer = setTimeout(look, 250);
  });
  field.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("li");
    if (option) take(option);
  });
  // in the capture phase: before Enter sends what is typed
  field.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && !event.shiftKey && chosen()) {
        event.preventDefault();
        take(chosen());
      } else if (event.key === "Enter") {
        close();
      } else if (list.hidden) {
        return;
      } else if (event.key === "Escape") {
        close();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const all = options();
        const step = event.key === "ArrowDown" ? 1 : -1;
        const at = all.indexOf(chosen()) + step;
        mark(at >= all.length || at === -1 ? null : all.at(at === -2 ? -1 : at));
      }
    },
    true,
  );
}

const deskLog = document.getElementById("desk-log");
if (deskLog) deskLog.scrollTop = deskLog.scrollHeight;

// ── what is new, asked for while somebody looks ──────────────────────────
const POLL_MS = 20000;
let polling = true;
function poll() {
  if (!polling || document.visibilityState !== "visible") return;
  for (const element of document.querySelectorAll("[data-poll]")) htmx.trigger(element, "poll");
}
if (document.querySelector("[data-poll]")) {
  setInterval(poll, POLL_MS);
  document.addEventListener("visibilitychange", poll);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.requestConfig.elt.matches("[data-poll]") || event.detail.xhr.status < 400) return;
    // said once that the session is over; a server that is busy is asked again without a word
    if (event.detail.xhr.status === 401) polling = false;
    else event.detail.shouldSwap = false;
  });
}

// ── forms ────────────────────────────────────────────────────────────────
// A second click while the first is under way sends nothing twice (the server would notice, too).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.id === "composer") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.querySelectorAll("button[type=submit], button:not([type])").forEach((b) => b.setAttribute("aria-busy", "true"));
});
addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((b) => b.removeAttribute("aria-busy"));
  });
});

// The first field that is wrong gets the cursor.
document.querySelector("[aria-invalid=true]")?.focus();

// The account menu closes when something else is clicked, and on Escape.
const who = document.querySelector("details.who");
if (who) {
  document.addEventListener("click", (event) => {
    if (!who.contains(event.target)) who.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && who.open) {
      who.open = false;
      who.querySelector("summary").focus();
    }
  });
}

// What was saved on the server is no draft any more.
document.querySelectorAll("[data-saved-draft]").forEach((mark) => sessionStorage.removeItem(mark.dataset.savedDraft));
