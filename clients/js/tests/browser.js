/** Functions that the end-to-end tests call in a real browser. Files come and go in base64. */

import { createProfileMedia } from "../src/index.js";
import { redraw } from "../src/picture.js";

/** Call a method that takes a file and options. `tokens` are returned by getToken in turn, the last one repeatedly. */
export async function call({ api, tokens, base64, maxBytes, method = "setAvatar", options = {}, abortAt }) {
  const media = createProfileMedia({ baseUrl: api, maxBytes, getToken: () => (tokens.length > 1 ? tokens.shift() : tokens[0]) });
  const controller = new AbortController();
  const events = (globalThis.seen = []);
  const onProgress = (progress) => {
    events.push(progress.phase === "retrying" ? { ...progress, error: progress.error.code } : progress);
    if (progress.phase === abortAt) controller.abort();
  };
  try {
    const upload = await media[method](blob(base64), { ...options, onProgress, signal: controller.signal });
    return { events, upload };
  } catch ({ name, code, message, limit }) {
    return { events, error: { name, code, message, limit } };
  }
}

/** Begin a call. Its result will be in the global variable `outcome`, its events are in `seen`. */
export function start(given) {
  globalThis.outcome = call(given);
}

/** Return the picture as the browser redraws it. */
export async function redrawn({ base64, type, maxBytes }) {
  const { file, from, to } = await redraw(blob(base64), type, maxBytes);
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { base64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")), from, to };
}

function blob(base64) {
  return new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], "me.jpg", { type: "image/jpeg" });
}
