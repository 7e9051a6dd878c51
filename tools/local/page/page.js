/** The demo page: sign a development user in, and take one picture from a file to the profile. */

import { MediaFailure, mediaApi } from "./api.js";
import { clearFailure, showFailure } from "./failure.js";
import { contractPanels } from "./panels.js";
import { bytes, forgetPreview, showDerivatives, showPreview } from "./picture.js";
import { showProfile } from "./profile.js";
import { explainBindFailure, explainFailure, explainReason } from "./reasons.js";
import { wireLog } from "./wire.js";

const at = (id) => document.getElementById(id);
const record = wireLog(at("exchanges"), at("exchange"));
const panels = contractPanels(at("contracts"), { session: () => session, record, changed: refreshProfile });

const SLOT_NAMES = { avatar: "avatar", coverImage: "cover image" };

const SENTENCES = {
  asking: "Asking for a place to put it…",
  sending: "Sending it to the storage…",
  processing: "Sent. The service is checking it and making its sizes…",
  ready: "Nobody else sees it until you set it.",
};

/** The signed-in user: key and entry in stack.json, name, API client and its signal. */
let session = null;

/** Abort all requests of the session. */
let ending = new AbortController();

/** The current picture: file, slot, idempotency key and upload so far. */
let picture = null;

// Users

/** The stack's addresses and users. Read at each sign-in, because tokens expire and stacks restart. */
async function readStack(signal) {
  const response = await fetch("stack.json", { cache: "no-store", signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new MediaFailure("network");
  });
  if (!response.ok) throw new MediaFailure("network");
  return response.json();
}

async function showPeople() {
  await attempt(at("sign-in-failure"), showPeople, async () => {
    const { users } = await readStack(ending.signal);
    for (const [person, { name }] of Object.entries(users)) {
      const choice = at("person").content.cloneNode(true);
      choice.querySelector("span").textContent = name ?? person;
      choice.querySelector("input").addEventListener("change", () => signIn(person));
      at("people").append(choice);
    }
  });
}

async function signIn(person) {
  session = null;
  dropPicture();
  at("columns").hidden = true;
  at("welcome").hidden = true;
  await attempt(at("sign-in-failure"), () => signIn(person), async () => {
    await openSession(person);
    await refreshProfile();
    panels.open();
    at("columns").hidden = false;
  });
}

async function openSession(person) {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const { api, users } = await readStack(signal);
  const { name, token } = users[person];
  const media = mediaApi({ api, token, signal, observe: record });
  session = { person, api, users, signal, name: name ?? person, media };
}

async function refreshProfile() {
  const { name, media } = session;
  showProfile(at("profile"), name, await media.profile());
}

// The picture

function takePicture(file) {
  if (!file || !session) return;
  dropPicture();
  showPreview(at("preview"), file);
  startOver(file);
}

/** Forget the current picture's upload: the next one gets another intent, perhaps for another slot. */
function startOver(file = picture.file) {
  picture?.stopping.abort();
  picture = { file, slot: chosenSlot(), key: crypto.randomUUID(), stopping: new AbortController() };
  at("preview").dataset.slot = picture.slot;
  at("upload").disabled = false;
  clearOutcome();
}

function dropPicture() {
  picture?.stopping.abort();
  picture = null;
  at("upload").disabled = true;
  at("file").value = "";
  forgetPreview(at("preview"));
  clearOutcome();
}

function chosenSlot() {
  return document.querySelector("input[name=slot]:checked").value;
}

async function uploadPicture() {
  if (picture.upload || picture.refused) startOver();
  await continueUpload();
}

/** Continue the current upload. Its idempotency key stays, so a lost answer creates no second upload. */
async function continueUpload() {
  const mine = picture;
  at("upload").disabled = true;
  at("cancel").hidden = false;
  const failure = await attempt(at("failure"), continueUpload, async () => {
    if (!mine.sent) await sendPicture(mine);
    showState("pending", SENTENCES.processing);
    mine.upload = await session.media.settled(mine.uploadId, mine.stopping);
    showUpload(mine.upload);
  });
  if (picture !== mine) return;
  mine.refused = failure !== null && failure.remedy === null;
  at("upload").disabled = ["ready", "bound"].includes(mine.upload?.state);
  at("cancel").hidden = true;
}

async function sendPicture(mine) {
  const { media } = session;
  const { file, slot, key: idempotencyKey } = mine;
  const { signal } = mine.stopping;
  showState("", SENTENCES.asking);
  const intent = await media.intend(file, slot, { idempotencyKey, signal });
  mine.uploadId = intent.uploadId;
  showState(intent.state, SENTENCES.sending);
  await media.send(intent.upload, file, { onProgress: showProgress, signal });
  mine.sent = true;
}

/** Cancel the upload. Its idempotency key stays: uploading the same picture again continues the intent. */
function cancelUpload() {
  picture.stopping.abort();
  picture.stopping = new AbortController();
  clearOutcome();
}

async function bindPicture() {
  const mine = picture;
  at("bind").disabled = true;
  const failure = await attempt(at("failure"), bindPicture, async () => {
    await session.media.bind(mine.upload);
    await refreshProfile();
    const upload = await session.media.upload(mine.uploadId);
    if (picture === mine) showUpload(upload);
  }, explainBindFailure);
  if (failure && picture === mine) at("bind").disabled = false;
}

// The result

function showUpload(upload) {
  const slot = SLOT_NAMES[upload.slot];
  const outcomes = { rejected: explainReason(upload.reason), bound: `This is your ${slot} now.` };
  showState(upload.state, outcomes[upload.state] ?? SENTENCES[upload.state]);
  showDerivatives(at("derivatives"), at("derivative"), upload);
  at("made").hidden = upload.state === "rejected";
  if (upload.state === "ready") panels.offer(upload);
  at("bind").textContent = `Set as ${slot}`;
  at("bind").disabled = upload.state !== "ready";
}

function showState(state, sentence) {
  at("state").textContent = state;
  at("state").dataset.state = state;
  at("sentence").textContent = sentence;
}

function showProgress(sent, total) {
  at("progress").hidden = at("sent").hidden = false;
  at("progress").value = sent / total;
  at("sent").textContent = `${Math.floor((100 * sent) / total)} % of ${bytes(total)} sent`;
}

function clearOutcome() {
  for (const id of ["progress", "sent", "cancel", "made"]) at(id).hidden = true;
  clearFailure(at("failure"));
  showState("", "");
}

/**
 * Run an action. Explain a failure in the box, with a button that calls `again`, after another sign-in if that helps.
 * Return the explained failure, or null, also if the action was cancelled.
 */
async function attempt(box, again, work, explain = explainFailure) {
  clearFailure(box);
  try {
    await work();
    return null;
  } catch (error) {
    if (error.name === "AbortError") return null;
    if (!(error instanceof MediaFailure)) throw error;
    const failure = explain(error);
    at("sentence").textContent = "";
    showFailure(box, failure, { retry: again, signIn: () => signInAgain(box, again) });
    return failure;
  }
}

async function signInAgain(box, again) {
  if (session) await attempt(box, () => signInAgain(box, again), () => openSession(session.person));
  if (box.hidden) await again();
}

// Events

at("slots").addEventListener("change", () => picture && startOver());
at("file").addEventListener("change", () => takePicture(at("file").files[0]));
at("upload").addEventListener("click", uploadPicture);
at("cancel").addEventListener("click", cancelUpload);
at("bind").addEventListener("click", bindPicture);
at("clear").addEventListener("click", () => at("exchanges").replaceChildren());

// Accept a drop anywhere on the page: otherwise the browser opens a file dropped beside the box.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").dataset.over = "";
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) delete at("drop").dataset.over;
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  delete at("drop").dataset.over;
  takePicture(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => takePicture(event.clipboardData.files[0]));

await showPeople();
