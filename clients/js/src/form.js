/** Send an intent's form to S3. */

import { ProfileMediaError, storageError } from "./errors.js";

/** Milliseconds without progress after which the connection counts as lost. */
const STALLED = 60_000;

/**
 * @param {{ method: string, url: string, fields: Record<string, string> }} form
 * @param {Blob} file
 * @param {(sent: number) => void} onSent
 * @param {AbortSignal} [signal]
 */
export async function sendForm({ method, url, fields }, file, onSent, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", file, "picture"); // last: S3 ignores every field after it

  onSent(0);
  const send = typeof XMLHttpRequest === "undefined" ? sendByFetch : sendByXhr;
  const { status, text } = await send(method, url, body, file.size, onSent, signal).catch((cause) => {
    throw new ProfileMediaError("network", { cause });
  });
  if (status >= 300) throw storageError(status, text);
  onSent(file.size);
}

/** @typedef {(method: string, url: string, body: FormData, size: number, onSent: (sent: number) => void, signal?: AbortSignal) => Promise<{ status: number, text: string }>} Send */

/** @type {Send} */
async function sendByFetch(method, url, body, _size, _onSent, signal) {
  const response = await fetch(url, { method, body, ...(signal && { signal }) });
  return { status: response.status, text: await response.text() };
}

/** fetch does not report how much was sent. @type {Send} */
function sendByXhr(method, url, body, size, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, STALLED);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      watch();
      onSent(Math.max(0, size - total + loaded)); // the form's fields do not count
    };
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = request.onabort = reject;
    request.onloadend = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort);
    request.open(method, url);
    request.send(body);
    watch();
  });
}
