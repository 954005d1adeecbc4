// The desk's agent on loopback, as pages ask it.
"use strict";

const DeskAgent = {
  PAIRED: "desk-agent-token",
  SLOW_MS: 15000,
  SIGN_MS: 110000, // somebody has to type; the challenge lasts two minutes

  ask(url, options = {}, limit = DeskAgent.SLOW_MS) {
    return fetch(url, { ...options, signal: AbortSignal.timeout(limit), credentials: "omit", cache: "no-store" });
  },

  // A page cannot tell an agent that refuses it from one that is not there, but for a request whose answer it may not read.
  async reach(agent) {
    try {
      const answer = await DeskAgent.ask(agent + "/v1/hello");
      return answer.ok ? "reached" : "refused";
    } catch {
      try {
        await DeskAgent.ask(agent + "/v1/hello", { mode: "no-cors" });
        return "refused";
      } catch {
        return "absent";
      }
    }
  },

  async call(agent, path, body, limit) {
    const headers = { "Content-Type": "application/json" };
    const token = sessionStorage.getItem(DeskAgent.PAIRED);
    if (token) headers.Authorization = "Bearer " + token;
    const answer = await DeskAgent.ask(agent + path, { method: "POST", headers, body: JSON.stringify(body) }, limit);
    const said = await answer.json();
    if (answer.ok) return said;
    if (DeskAgent.unpaired(said.error)) sessionStorage.removeItem(DeskAgent.PAIRED);
    throw Object.assign(new Error(said.error.message), { code: said.error.code });
  },

  unpaired(error) {
    return ["not_paired", "code_wrong", "code_void"].includes(error.code);
  },

  async pair(agent, code, reference) {
    const said = await DeskAgent.call(agent, "/v1/pair", { code: code.replaceAll(/\D/g, ""), reference });
    sessionStorage.setItem(DeskAgent.PAIRED, said.token);
  },

  paired() {
    return sessionStorage.getItem(DeskAgent.PAIRED) !== null;
  },

  words(error) {
    return (error.name === "TimeoutError" ? "诊断助手没有按时应答，请再试一次" : error.message) + "。";
  },
};
