/** The developer's console: sign a development user in, upload, call the five contracts, and see every request. */

import { clearFailure, showFailure } from "../failure.js";
import { clientOf, readStack, remember, remembered } from "../session.js";
import { bytes, showDerivatives } from "./derivatives.js";
import { contractPanels } from "./panels.js";
import { observeRequests } from "./requests.js";
import { wireLog } from "./wire.js";

const at = (id) => document.getElementById(id);
const record = wireLog(at("exchanges"), at("exchange"));
const panels = contractPanels(at("contracts"), { session: () => session, record, changed: readProfile });

/** The signed-in user's key, the content of stack.json, and the client. */
let session = null;

/** Gives up the upload that is on its way. */
let stopping = new AbortController();

async function start() {
  const { users } = await readStack();
  at("people").append(...Object.entries(users).map(([person, { name }]) => personChoice(person, name)));
  const person = users[remembered()] ? remembered() : Object.keys(users)[0];
  document.querySelector(`input[name=person][value="${person}"]`).checked = true;
  await whileReachable(() => signIn(person));
}

/** Run an action that reads stack.json. Explain if the stack does not answer. */
async function whileReachable(action) {
  clearFailure(at("failure"));
  try {
    await action();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const again = () => whileReachable(action);
    showFailure(at("failure"), "The stack does not answer. Start it with `make up`.", { again });
  }
}

function personChoice(person, name) {
  const choice = at("person").content.cloneNode(true);
  const input = choice.querySelector("input");
  input.value = person;
  input.addEventListener("change", () => whileReachable(() => signIn(person)));
  choice.querySelector("span").textContent = name;
  return choice;
}

async function signIn(person) {
  stopping.abort();
  remember(person);
  const stack = await readStack();
  if (document.querySelector("input[name=person]:checked").value !== person) return; // another one was chosen since
  session = { ...stack, person, client: clientOf(stack, person) };
  showToken();
  clearUpload();
  panels.open();
  at("columns").hidden = false;
  await readProfile();
}

function showToken() {
  const { api, users, person } = session;
  at("user-id").textContent = users[person].user_id;
  at("api").textContent = api;
  at("expiry").textContent = new Date(claims(users[person].token).exp * 1000).toLocaleString();
  at("curl").textContent = `curl -H "Authorization: Bearer $(make -s token USER=${person})" ${api}/media/profile`;
  at("copied").textContent = "";
}

function claims(token) {
  return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
}

async function copyToken() {
  const { users, person } = session;
  await navigator.clipboard.writeText(users[person].token);
  at("copied").textContent = "Copied.";
}

/** Read the profile, which the log shows, and show its slots. */
async function readProfile() {
  const { client, person } = session;
  const profile = await attempt(() => client.profile(), readProfile);
  if (!profile || session.person !== person) return;
  for (const slot of ["avatar", "coverImage"]) {
    const link = at(`now-${slot}`);
    const url = profile[slot]?.derivatives.full?.url ?? profile[slot]?.url;
    link.replaceChildren(...(url ? [Object.assign(new Image(), { src: url, alt: `Current ${slot}` })] : []));
    link.dataset.empty = url ? "" : "empty";
  }
}

async function upload() {
  const file = at("file").files[0];
  if (!file) {
    showFailure(at("failure"), "Choose a file first.");
    at("file").focus();
    return;
  }
  clearUpload();
  stopping = new AbortController();
  const { client, person } = session;
  const { signal } = stopping;
  const slot = at("slot").value;
  showState("pending", "");
  at("cancel").hidden = false;
  const ready = await attempt(() => client.upload(file, { slot, signal, onProgress: showProgress }), upload);
  at("cancel").hidden = true;
  if (session.person !== person) return;
  if (!ready) {
    showState(signal.aborted ? "given up" : "failed", "");
    return;
  }
  showState(ready.state, `${file.name}, ${ready.width} × ${ready.height} px. A contract below can bind it.`);
  showDerivatives(at("derivatives"), ready);
  panels.offer(ready);
}

const PROGRESS = {
  preparing: () => "Reading the file",
  converted: ({ because, from, to }) => `Converted because of its ${because}: ${bytes(from.bytes)} to ${bytes(to.bytes)}`,
  sending: ({ sent, total }) => `${bytes(sent)} of ${bytes(total)} sent`,
  processing: () => "The service makes the derivatives",
  retrying: ({ delay, error }) => `${error.code}: again in ${Math.round(delay / 1000)} s`,
};

function showProgress(progress) {
  showState("pending", PROGRESS[progress.phase](progress));
}

function clearUpload() {
  clearFailure(at("failure"));
  at("derivatives").hidden = true;
  showState("", "No upload yet.");
}

function showState(state, sentence) {
  at("state").textContent = state;
  at("state").dataset.state = state;
  at("sentence").textContent = sentence;
}

/** Return the result of a call, or undefined after showing why it failed. */
async function attempt(call, again) {
  clearFailure(at("failure"));
  try {
    return await call();
  } catch (error) {
    if (error.name !== "ProfileMediaError") {
      if (error.name === "AbortError") return undefined;
      throw error;
    }
    const { code, message, detail, retryable } = error;
    const said = [code, detail].filter(Boolean).join(": ");
    showFailure(at("failure"), message, { detail: said, again: retryable ? again : undefined });
    return undefined;
  }
}

observeRequests((exchange) => {
  if (!exchange.url.startsWith(location.origin)) record(exchange);
});
at("upload").addEventListener("submit", (event) => {
  event.preventDefault();
  upload();
});
at("cancel").addEventListener("click", () => stopping.abort());
at("copy").addEventListener("click", copyToken);
at("clear").addEventListener("click", () => at("exchanges").replaceChildren());

await whileReachable(start);
