// A signature for the sign-in, made on the desk: its agent asks for the PIN there, the page gets the result alone.
"use strict";

const proof = document.querySelector("[data-desk-proof]");
if (proof) {
  const agent = proof.dataset.agent;
  const code = proof.querySelector("[data-desk-code]");
  const state = proof.querySelector("[data-desk-state]");
  const pairing = proof.querySelector("[data-desk-pair]");
  const button = proof.querySelector("[data-desk-sign]");
  const form = proof.closest("form");
  proof.hidden = false;

  async function sign() {
    if (!DeskAgent.paired() && !code.value) {
      const reached = await DeskAgent.reach(agent);
      pairing.hidden = reached !== "reached";
      state.textContent = { reached: "请填诊断助手显示的配对码，再点一次。", refused: "诊断助手不接受这个网址，启动时 --origin 要与地址栏一样。" }[reached] || "没有连上诊断助手：请先启动它；浏览器问能否访问本地网络时点允许。";
      if (reached === "reached") code.focus();
      return;
    }
    if (code.value) await DeskAgent.pair(agent, code.value, "");
    code.value = "";
    pairing.hidden = true;
    state.textContent = "请到诊断助手的窗口里看清用途，输入锁的口令（PIN）。";
    const challenge = form.elements.challenge.value;
    const said = await DeskAgent.call(agent, "/v1/sign", { challenge }, DeskAgent.SIGN_MS);
    form.elements.proof.value = said.proof;
    state.textContent = "已签名，请继续。";
    form.querySelector("button[type=submit]").focus();
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await sign();
    } catch (error) {
      if (DeskAgent.unpaired(error)) pairing.hidden = false;
      state.textContent = DeskAgent.words(error);
    } finally {
      button.disabled = false;
    }
  });
}
