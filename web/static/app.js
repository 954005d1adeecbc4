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
  log.addEventListener("htmx:afterSettle", () => {
    for (const old of log.querySelectorAll(".said:not(:last-child) .choices")) old.classList.add("past");
    toEnd();
    text.focus({ preventScroll: true });
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
