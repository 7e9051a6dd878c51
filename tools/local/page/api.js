/**
 * The API client of a front end: create an upload intent, send the file, wait, bind.
 * It has no dependencies and does not refer to this page, so it can be copied into another project.
 *
 *   const media = mediaApi({ api: "https://api.example.com", token: accessToken });
 *   const intent = await media.intend(file, "avatar");
 *   await media.send(intent.upload, file, { onProgress: (sent, total) => … });
 *   const upload = await media.settled(intent.uploadId);
 *   if (upload.state === "ready") await media.bind(upload);
 *
 * A call throws a MediaFailure if the service, S3 or the network fails, and an AbortError if its signal fires.
 */

const BIND_PATHS = {
  avatar: "/user/profile/avatar",
  coverImage: "/user/profile/cover-image",
};

/** Seconds that one request waits for a pending upload: the maximum of the service. */
const WAIT = 20;

/** Milliseconds between two such requests. */
const PAUSE = 500;

/** Bytes. A checksum needs the whole file in memory; a larger file is refused by its length. */
const CHECKSUM_LIMIT = 64 * 1024 * 1024;

/** A failed call. `kind` is "service", "storage", "network", "slow", "empty" or "file". */
export class MediaFailure extends Error {
  constructor(kind, { status = 0, code = "", message = "", details = [], retryAfter = null } = {}) {
    super(message || `${kind} ${status} ${code}`.trim());
    Object.assign(this, { name: "MediaFailure", kind, status, code, details, retryAfter });
  }
}

/**
 * Return a client for one signed-in user. `signal` aborts all its calls. `observe` is called with each finished
 * request and response (see `exchange` below), including tokens.
 */
export function mediaApi({ api, token, signal = new AbortController().signal, observe = () => {} }) {
  const call = (method, path, options = {}) =>
    callService(observe, method, api + path, { token, ...options, signal: either(signal, options.signal) });

  return {
    /** Return the user's profile. */
    profile: () => call("GET", "/media/profile"),

    /** Create an upload intent. The same key and file return the same intent, so a lost answer can be retried. */
    async intend(file, slot, { idempotencyKey = crypto.randomUUID(), signal: own } = {}) {
      if (file.size === 0) throw new MediaFailure("empty");
      const checksumSha256 = await checksum(file);
      const body = {
        slot,
        contentType: file.type || "application/octet-stream",
        contentLength: file.size,
        ...(checksumSha256 && { checksumSha256 }),
      };
      return call("POST", "/media/intents", { body, headers: { "Idempotency-Key": idempotencyKey }, signal: own });
    },

    /** Send the file to S3 with the intent's form. `onProgress` gets the bytes sent and the total. */
    send: (form, file, { onProgress = () => {}, signal: own } = {}) =>
      sendForm(observe, form, file, onProgress, either(signal, own)),

    /** Return the upload. */
    upload: (uploadId) => call("GET", `/media/uploads/${encodeURIComponent(uploadId)}`),

    /** Return the upload once it is no longer pending. Fail as "slow" after `patience` milliseconds. */
    async settled(uploadId, { patience = 60_000, signal: own } = {}) {
      const path = `/media/uploads/${encodeURIComponent(uploadId)}?wait=${WAIT}`;
      const deadline = Date.now() + patience;
      for (;;) {
        const upload = await call("GET", path, { signal: own }).catch(throttled);
        if (upload.state !== "pending") return upload;
        if (Date.now() >= deadline) throw new MediaFailure("slow");
        await pause(upload.retryAfter * 1000 || PAUSE, either(signal, own));
      }
    },

    /** Bind a ready upload to the slot of its intent. */
    bind: ({ slot, publicId }) => call("PATCH", BIND_PATHS[slot], { body: { publicId } }),
  };
}

async function callService(observe, method, url, { token, body, headers = {}, signal }) {
  const request = new Request(url, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body && { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body && JSON.stringify(body),
    signal,
    cache: "no-store",
  });
  const { status, answerHeaders, answer } = await exchange(observe, request, body);
  if (status < 300) return JSON.parse(answer);
  throw refusedByService(status, answerHeaders, answer);
}

/**
 * Send a request and return the exchange, whatever the response's status. Call `observe` with it, also if there was no
 * response, which fails as "network". `body` is the request's body before serialization.
 */
export async function exchange(observe, request, body) {
  const { method, url } = request;
  const begun = { method, url, headers: Object.fromEntries(request.headers), body, started: performance.now() };
  const over = await fetchAll(request).catch((error) => {
    if (error.name === "AbortError") throw error;
    observe(unanswered(begun));
    throw new MediaFailure("network", { message: error.message });
  });
  const whole = answered(begun, over.status, [...over.headers], over.answer);
  observe(whole);
  return whole;
}

async function fetchAll(request) {
  const response = await fetch(request);
  return { status: response.status, headers: response.headers, answer: await response.text() };
}

function refusedByService(status, headers, answer) {
  const envelope = parsedOr({}, answer);
  const { code = "", message = envelope.message, details = [] } = envelope.error ?? {};
  return new MediaFailure("service", {
    status,
    code,
    message,
    details: (details ?? []).map((detail) => detail.message),
    retryAfter: Number(headers["retry-after"]) || null,
  });
}

// fetch does not report upload progress, so this call uses XMLHttpRequest.
function sendForm(observe, { method, url, fields }, file, onProgress, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file); // last: the storage ignores every field after it

  const begun = { method, url, headers: {}, body: { ...fields, file }, started: performance.now() };
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => request.abort());
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      observe(answered(begun, request.status, headersOf(request), request.responseText));
      if (request.status < 300) resolve();
      else reject(refusedByStorage(request));
    });
    request.addEventListener("error", () => {
      observe(unanswered(begun));
      reject(new MediaFailure("network"));
    });
    request.addEventListener("abort", () => reject(signal.reason));
    request.open(method, url);
    request.send(form);
  });
}

function refusedByStorage(request) {
  const answer = new DOMParser().parseFromString(request.responseText, "application/xml");
  const text = (name) => answer.querySelector(`Error > ${name}`)?.textContent ?? "";
  return new MediaFailure("storage", { status: request.status, code: text("Code"), message: text("Message") });
}

/** Return the file's SHA-256 in base64; null if the page is not a secure context or the file is too large. */
async function checksum(file) {
  if (!crypto.subtle || file.size > CHECKSUM_LIMIT) return null;
  try {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return btoa(String.fromCharCode(...new Uint8Array(digest)));
  } catch (error) {
    throw new MediaFailure("file", { message: error.message }); // a folder, or moved since it was chosen
  }
}

function answered(begun, status, headers, answer) {
  return { ...unanswered(begun), status, answerHeaders: Object.fromEntries(headers), answer };
}

function unanswered({ started, ...begun }) {
  const milliseconds = Math.round(performance.now() - started);
  return { ...begun, milliseconds, status: 0, answerHeaders: {}, answer: "" };
}

function headersOf(request) {
  const lines = request.getAllResponseHeaders().trim().split("\r\n").filter(Boolean);
  return lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
}

function parsedOr(fallback, text) {
  try {
    return JSON.parse(text) ?? fallback;
  } catch {
    return fallback;
  }
}

function either(signal, other) {
  return other ? AbortSignal.any([signal, other]) : signal;
}

/** Treat a 429 as an upload that is pending still: a deployment limits how many calls wait. */
function throttled(error) {
  if (error.status !== 429) throw error;
  return { state: "pending", retryAfter: error.retryAfter };
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
