/** The life of one upload: prepare the file, announce it, send it, wait, bind. */

import { ProfileMediaError } from "./errors.js";
import { sendForm } from "./form.js";
import { checksum, copy, detectType, redraw, scaleCrop } from "./picture.js";
import { pause, withRetries } from "./retry.js";

/** @import { Crop, Intent, Progress, ReadyUpload, Slot, Upload, UploadOptions } from "./index.js" */
/** @import { Call, CallOptions } from "./calls.js" */

/** @typedef {{ file: Blob, type: string, crop: Crop | undefined }} Prepared */

export const SLOT_PATHS = { avatar: "avatar", coverImage: "cover-image" };

/** Seconds that one request waits for a pending upload: the service's maximum. */
const WAIT = 20;

/** Milliseconds before the second such request. The pauses grow: a service under load does not wait. */
const PAUSE = 500;

/** Milliseconds until the call gives up waiting. The service repeats a failed attempt after one and two minutes. */
const PATIENCE = 240_000;

/** Milliseconds that a new upload waits for the deletion of cancelled ones, which makes room in the user's limit. */
const DELETION = 3000;

/** Errors of the service that another file of the same picture can avoid. @type {Record<string, "bytes" | "pixels">} */
const AVOIDABLE = { upload_too_large: "bytes", payload_too_large: "bytes", too_many_pixels: "pixels", too_complex: "pixels" };

/** Conversions of one file: for its format, for its pixels, for a limit that only the service knows. */
const CONVERSIONS = 3;

/**
 * Prepare a picture and submit it. If the service refuses it for its size, submit a smaller one.
 * @template T
 * @param {Blob} file
 * @param {{ maxBytes: number, crop?: Crop | undefined, onProgress?: UploadOptions["onProgress"], signal?: AbortSignal | undefined }} options
 * @param {(prepared: Prepared) => Promise<T>} submit
 */
export async function withPreparedPicture(file, { maxBytes, crop, onProgress, signal }, submit) {
  signal?.throwIfAborted();
  onProgress?.({ phase: "preparing" });
  if (!file.size) throw new ProfileMediaError("empty");
  const type = await detectType(file);

  /** @type {(because: "format" | "bytes" | "pixels", limit: number) => Promise<Prepared | null>} */
  const convert = async (because, limit) => {
    const drawn = await redraw(file, type, limit);
    signal?.throwIfAborted();
    if (!drawn) return null;
    const { from, to } = drawn;
    onProgress?.({ phase: "converted", because, from, to });
    return { file: drawn.file, type: to.contentType, crop: crop && scaleCrop(crop, from, to) };
  };

  let prepared =
    !type || type === "image/heic" ? await convert("format", maxBytes) : file.size > maxBytes ? await convert("bytes", maxBytes) : null;
  if (!prepared && !type) throw new ProfileMediaError("unsupported_format");
  prepared ??= { file: await copy(file, type), type, crop };

  for (let tried = 1; ; tried++) {
    try {
      return await submit(prepared);
    } catch (error) {
      const { code, limit = maxBytes } = /** @type {ProfileMediaError} */ (error);
      const because = AVOIDABLE[code];
      const other = because && tried < CONVERSIONS && (await convert(because, Number(limit)));
      if (!other || (because === "bytes" && other.file.size > Number(limit))) throw error;
      prepared = other;
    }
  }
}

/** Return the function `upload` of a client. @param {Call} call @param {number} defaultMaxBytes */
export function uploader(call, defaultMaxBytes) {
  /** Deletions that are under way. @type {Set<Promise<unknown>>} */
  const deletions = new Set();

  /** Delete an upload whose intent is perhaps still under way. @param {Promise<{ uploadId: string }>} intended */
  function discard(intended) {
    /** @type {Promise<unknown>} */
    const deletion = intended
      .then(({ uploadId }) => call("DELETE", uploadPath(uploadId), { keepalive: true }))
      .catch(() => {}) // it expires
      .then(() => deletions.delete(deletion));
    deletions.add(deletion);
  }

  async function settledDeletions() {
    const waiting = new AbortController();
    await Promise.race([Promise.all(deletions), pause(DELETION, waiting.signal)]);
    waiting.abort();
  }

  /** @param {Prepared} prepared @param {UploadOptions} options @returns {Promise<ReadyUpload>} */
  async function submit({ file, type, crop }, { slot, focus, alt, bind, onProgress, signal }) {
    const announce = await announcement(call, file, type, { slot, crop, focus, alt, bind });
    /** @type {Promise<Intent> | undefined} */
    let intended;
    let stored = false;

    // A repetition asks for the intent again: it returns the same upload with a form that has not expired, and tells if
    // the file has arrived though S3's answer was lost.
    const send = async () => {
      // Without the signal: the upload may exist even if nobody waits for the answer.
      intended = announce({ once: true });
      const { uploadId, state, upload: form } = await unlessAborted(intended, signal);
      if (state !== "pending") return uploadId;
      await sendForm(form, file, (sent) => onProgress?.({ phase: "sending", uploadId, sent, total: file.size }), signal);
      return uploadId;
    };

    try {
      const uploadId = await withRetries(send, signal, onProgress);
      stored = true;
      onProgress?.({ phase: "processing", uploadId });
      const upload = await settled(call, uploadId, { signal, onProgress });
      return bind && upload.state === "ready" ? await bindUpload(call, upload, { signal, onProgress }) : upload;
    } catch (error) {
      if (intended && (!stored || signal?.aborted)) discard(intended);
      throw error;
    }
  }

  /** @param {Blob} file @param {UploadOptions} options @returns {Promise<ReadyUpload>} */
  return async (file, { onProgress: listener, ...others } = {}) => {
    const { crop, signal } = others;
    const onProgress = (/** @type {Progress} */ progress) => signal?.aborted || listener?.(progress);
    if (deletions.size) await unlessAborted(settledDeletions(), signal);
    return withPreparedPicture(file, { maxBytes: defaultMaxBytes, crop, onProgress, signal }, (prepared) =>
      submit(prepared, { ...others, onProgress }),
    );
  };
}

/**
 * Return a function that creates an upload intent for a file. Repeating it returns the same intent.
 * @param {Call} call @param {Blob} file @param {string} type @param {UploadOptions} options
 * @returns {Promise<(options: Pick<CallOptions, "signal" | "once">) => Promise<Intent>>}
 */
export async function announcement(call, file, type, { slot = "avatar", crop, focus, alt, bind }) {
  const checksumSha256 = await checksum(file);
  const body = { slot, contentType: type, contentLength: file.size, checksumSha256, bind, crop, focus, alt };
  const headers = { "Idempotency-Key": randomKey() };
  return (options) => call("POST", "/media/intents", { ...options, body, headers });
}

/**
 * Return the upload once it is processed. Throw if it was rejected.
 * @param {Call} call @param {string} uploadId @param {Pick<UploadOptions, "signal" | "onProgress">} options
 */
export async function settled(call, uploadId, { signal, onProgress }) {
  for (let asked = 1, waited = 0; waited < PATIENCE; asked++) {
    const started = Date.now();
    /** @type {Upload} */
    const upload = await call("GET", `${uploadPath(uploadId)}?wait=${WAIT}`, { signal, onProgress });
    if (upload.state === "rejected") {
      throw new ProfileMediaError(upload.reason?.code ?? "corrupt", { detail: upload.reason?.message });
    }
    if (upload.state !== "pending") return /** @type {ReadyUpload} */ (upload);
    await pause(PAUSE * asked, signal);
    waited += Math.min(Date.now() - started, 2 * WAIT * 1000); // the time that the computer slept does not count
  }
  throw new ProfileMediaError("slow");
}

/**
 * Bind a ready upload. Repeating it does no harm, nor if the service binds the same upload at the same moment.
 * @template {Pick<Upload, "slot" | "publicId">} T
 * @param {Call} call @param {T} upload @param {Pick<UploadOptions, "signal" | "onProgress">} options
 */
export async function bindUpload(call, upload, options) {
  const profile = await call("PATCH", `/user/profile/${SLOT_PATHS[upload.slot]}`, { ...options, body: { publicId: upload.publicId } }).catch(
    (error) => {
      // This endpoint answers every reference that cannot be bound with 400 and no code.
      throw error.status === 400 ? new ProfileMediaError("reference_invalid", { status: 400, detail: error.detail }) : error;
    },
  );
  return { ...upload, state: /** @type {const} */ ("bound"), publicId: profile[upload.slot].publicId };
}

/** @param {string} uploadId */
export function uploadPath(uploadId) {
  return `/media/uploads/${encodeURIComponent(uploadId)}`;
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @template T @param {Promise<T>} promise @param {AbortSignal | undefined} signal @returns {Promise<T>} */
function unlessAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  });
}
