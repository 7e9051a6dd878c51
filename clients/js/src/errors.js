/** The failures of all calls: a code, a sentence for a person, and whether the call can be repeated. */

/** @import { ErrorCode, ProfileMediaError as Declared } from "./index.js" */

const CHOOSE = "Choose a JPEG, PNG, WebP, GIF or AVIF picture.";
const NOT_ALLOWED = "You may not do this.";
const CHANGED = "The picture was changed on its way. Try again.";

/** @type {Record<string, string>} */
const SENTENCES = {
  empty: "The file is empty. Choose another one.",
  file_unreadable: "The file cannot be read. It may be a folder, or it was moved. Choose it again.",
  unsupported_format: `This file is not a picture that can be used. ${CHOOSE}`,
  type_unsupported: `This kind of picture is not accepted. ${CHOOSE}`,
  type_mismatch: "This file is named like one kind of picture but is another. Save it again as a JPEG or PNG.",
  corrupt: "The picture is damaged. Open it in a picture editor, save it again, and choose that file.",
  too_many_pixels: "The picture has too many pixels. Make it smaller and choose it again.",
  too_small: "The picture is too small. Choose a larger one.",
  too_large: "The file is too large. Choose a smaller one.",
  upload_too_large: "The file is too large. Choose a smaller one.",
  payload_too_large: "The file is too large. Choose a smaller one.",
  too_complex: "The picture takes too long to read. Save it again as a plain JPEG or PNG.",
  checksum_mismatch: CHANGED,
  crop_outside: "The chosen part lies outside of the picture. Choose it again.",
  crop_unavailable: "This picture can no longer be cropped. Upload it again.",
  upload_bound: "This picture is in use. Remove it from the profile instead.",
  upload_not_ready: "The picture is not ready yet. Try again.",
  upload_not_found: "This upload no longer exists. Choose the picture again.",
  reference_invalid: "This picture can no longer be used. Choose it again.",
  attachment_changed: "The picture is being changed elsewhere. Try again.",
  auth_unauthorized: "Your sign-in is no longer valid. Sign in again.",
  auth_forbidden: NOT_ALLOWED,
  owner_forbidden: NOT_ALLOWED,
  token_unavailable: "Your sign-in could not be checked. Try again.",
  limit_exceeded: "Too many pictures in a short time. Try again later.",
  network: "There is no connection. Check that you are online, and try again.",
  storage: "The file could not be stored. Try again.",
  slow: "The picture takes longer than usual. Try again later.",
  unavailable: "The service is busy. Try again.",
  internal: "The service has a problem. Try again later.",
};

const FALLBACK = "The picture could not be changed.";

const RETRYABLE = new Set([
  "checksum_mismatch",
  "upload_not_ready",
  "attachment_changed",
  "token_unavailable",
  "limit_exceeded",
  "network",
  "storage",
  "slow",
  "unavailable",
  "internal",
]);

/** Codes of the gateway and of the endpoints under `/v1/users` that have another name here. @type {Record<string, string>} */
const ALIASES = {
  authorization_invalid: "owner_forbidden",
  bad_request: "request_invalid",
  internal_error: "internal",
  request_too_large: "payload_too_large",
  resource_not_found: "user_not_found",
  timeout: "unavailable",
  too_many_requests: "limit_exceeded",
  unsupported_media_type: "type_unsupported",
};

/** The codes of answers without one. @type {Record<number, string>} */
const BY_STATUS = {
  401: "auth_unauthorized",
  403: "auth_forbidden",
  404: "not_found",
  409: "attachment_changed",
  413: "payload_too_large",
  429: "limit_exceeded",
};

/** S3's codes that say more than that it refused the file. @type {Record<string, string>} */
const STORAGE = {
  BadDigest: "checksum_mismatch",
  EntityTooLarge: "too_large",
  XAmzContentChecksumMismatch: "checksum_mismatch",
};

/** @implements {Declared} */
export class ProfileMediaError extends Error {
  /** @type {"ProfileMediaError"} */
  name = "ProfileMediaError";

  /** @type {number | undefined} */ retryAfter;
  /** @type {number | undefined} */ status;
  /** @type {string | undefined} */ detail;
  /** @type {number | string | undefined} */ limit;
  /** @type {string | undefined} */ correlationId;

  /**
   * @param {ErrorCode} code
   * @param {ConstructorParameters<typeof Declared>[1]} facts
   */
  constructor(code, { cause, ...facts } = {}) {
    super(sentence(code, facts), { cause });
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    Object.assign(this, facts);
  }
}

/** @param {string} code @param {{ limit?: number | string | undefined, retryAfter?: number | undefined }} facts */
function sentence(code, { limit, retryAfter }) {
  if (typeof limit === "number" && /too_large$/.test(code)) {
    return `The file is too large. Choose one of at most ${(limit / 2 ** 20).toLocaleString("en", { maximumFractionDigits: 1 })} MB.`;
  }
  const text = SENTENCES[code] ?? FALLBACK;
  return retryAfter && retryAfter > 1 ? text.replace(/(Try again)[^.]*\.$/, `$1 in ${duration(retryAfter)}.`) : text;
}

/** @param {number} seconds */
function duration(seconds) {
  return seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

/** Read the error of the service or of its gateway. @param {Response} response */
export async function serviceError(response) {
  const { status, headers } = response;
  const body = (await response.json().catch(() => null)) ?? {};
  const { error = {}, errors = [], message } = body;
  const first = errors[0] ?? {};
  const raw = String(first.meta?.reason ?? error.i18nVars?.reason ?? error.code ?? first.code ?? "").toLowerCase();
  const code = raw || BY_STATUS[status] || (status === 503 || status === 504 ? "unavailable" : "");
  return new ProfileMediaError(ALIASES[code] ?? (code || (status < 500 ? "request_invalid" : "internal")), {
    status,
    detail: error.details?.map((/** @type {any} */ each) => each.message ?? each).join("; ") || (error.message ?? first.message ?? message),
    limit: error.i18nVars?.limit ?? first.meta?.limit,
    retryAfter: retryAfter(headers.get("Retry-After")),
    correlationId: headers.get("x-correlation-id") ?? undefined,
  });
}

/** Return the seconds of a Retry-After header, which is a number or a date. @param {string | null} value */
function retryAfter(value) {
  if (!value) return undefined;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? (Date.parse(value) - Date.now()) / 1000 : seconds;
  return wait > 0 ? Math.ceil(wait) : undefined;
}

/** Read S3's error. @param {number} status @param {string} xml */
export function storageError(status, xml) {
  const [code = "", message = ""] = ["Code", "Message"].map((name) => xml.match(`<${name}>([^<]*)<`)?.[1]);
  return new ProfileMediaError(STORAGE[code] ?? "storage", { status, detail: `${code}: ${message}` });
}
