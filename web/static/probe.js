// Checks of this machine: asks the desk's agent on loopback, tells the server, shows its answer.
"use strict";

async function permission() {
  if (!navigator.permissions) return "untold";
  for (const name of ["loopback-network", "local-network-access"]) {
    try {
      return (await navigator.permissions.query({ name })).state;
    } catch {
      // this browser does not know the name
    }
  }
  return "untold";
}

function kernel() {
  const brands = navigator.userAgentData?.brands || [];
  const found = brands.find((b) => b.brand === "Chromium")?.version || /Chrom(?:e|ium)\/(\d+)/.exec(navigator.userAgent)?.[1];
  return found ? Number.parseInt(found, 10) : null;
}

async function seen(agent) {
  const reached = agent ? await DeskAgent.reach(agent) : "unasked";
  return {
    clock_s: Date.now() / 1000,
    cookies: navigator.cookieEnabled,
    agent: reached,
    secure: window.isSecureContext,
    kernel: kernel(),
    permission: await permission(),
  };
}

function conversation() {
  return document.getElementById("conversation").value;
}

function csrf() {
  return document.querySelector("#composer [name=csrf_token]").value;
}

async function told(card, page, report) {
  const answer = await fetch("/probe/report", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), "HX-Request": "true" },
    body: JSON.stringify({ conversation: conversation(), page, report }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error("检测结果没有送到平台，请稍后再试");
  const fragment = document.createElement("template");
  fragment.innerHTML = text; // our own server's, with everything from outside escaped
  const cursor = fragment.content.querySelector("#cursor");
  if (cursor) {
    document.getElementById("cursor").value = cursor.value;
    cursor.remove();
  }
  const log = document.getElementById("log");
  const first = fragment.content.firstElementChild;
  log.append(fragment.content);
  htmx.process(log);
  // the cause is shown, not its last step; scrollIntoView would move the whole page
  const top = log.scrollTop + first.getBoundingClientRect().top - log.getBoundingClientRect().top - 12;
  log.scrollTo({ top, behavior: calm.matches ? "auto" : "smooth" });
  state(card, "检测完了，结果在下面。");
}

function state(card, text) {
  card.querySelector("[data-desk-state]").textContent = text;
}

function form(card, open) {
  card.querySelector("[data-desk-pair]").hidden = !open;
  if (open) card.querySelector("[data-desk-code]").focus();
}

async function facts() {
  const answer = await fetch("/probe/facts?conversation=" + encodeURIComponent(conversation()));
  if (!answer.ok) throw new Error("登录已过期，请重新登录后再检测");
  return answer.json();
}

// With a code it pairs first. Where the agent cannot be reached, what the browser tells is the answer.
async function run(card, code) {
  state(card, "正在检测这台电脑…");
  const known = await facts();
  const page = await seen(known.agent);
  if (page.agent !== "reached") {
    form(card, true);
    return told(card, page, null);
  }
  if (code) await DeskAgent.pair(known.agent, code, known.reference);
  if (!DeskAgent.paired()) {
    form(card, true);
    return state(card, "诊断助手已经在运行，请填它显示的配对码。");
  }
  const given = { ...known.facts, browser_permission: page.permission };
  if (page.kernel) given.browser_version = String(page.kernel);
  const only = card.dataset.probes.split(" ");
  const report = await DeskAgent.call(known.agent, "/v1/run", { only, facts: given });
  form(card, false);
  return told(card, page, report);
}

async function guarded(card, work) {
  const buttons = card.querySelectorAll("button");
  buttons.forEach((b) => (b.disabled = true));
  try {
    await work();
  } catch (error) {
    if (DeskAgent.unpaired(error)) form(card, true);
    state(card, DeskAgent.words(error));
  } finally {
    buttons.forEach((b) => (b.disabled = false));
  }
}

function wire(card) {
  if (card.dataset.wired) return;
  card.dataset.wired = "1";
  const start = card.querySelector("[data-desk-run]");
  const browser = card.querySelector("[data-desk-browser]");
  const command = card.querySelector("[data-desk-command]");
  command.textContent = command.dataset.deskCommand + location.origin;
  card.querySelector(".desk-hint").hidden = true;
  start.hidden = browser.hidden = false;
  start.addEventListener("click", () => guarded(card, () => run(card, "")));
  browser.addEventListener("click", () => guarded(card, async () => told(card, await seen(null), null)));
  const code = card.querySelector("[data-desk-code]");
  const go = () => guarded(card, () => run(card, code.value));
  card.querySelector("[data-desk-go]").addEventListener("click", go);
  code.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go();
  });
}

const talkLog = document.getElementById("log");
if (talkLog) {
  for (const card of talkLog.querySelectorAll("[data-desk]")) wire(card);
  // A paired desk is asked as soon as the answer that wants it has come.
  talkLog.addEventListener("htmx:afterSettle", () => {
    for (const card of talkLog.querySelectorAll("[data-desk]:not([data-wired])")) {
      wire(card);
      if (DeskAgent.paired()) guarded(card, () => run(card, ""));
    }
  });
}
