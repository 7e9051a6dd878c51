/** The sentences for every rejection reason and every failure. */

/** One sentence per reason code. A test compares the codes with the service's. */
export const REASONS = {
  unsupported_format: "This file is not a picture we can read. Choose a JPEG, PNG, WebP, GIF or AVIF.",
  type_mismatch: "This file is named like one kind of picture but holds another. Save it again under its own kind.",
  corrupt: "The picture is damaged or incomplete. Open it in a picture editor, save it again, and upload that.",
  too_many_pixels: "The picture has too many pixels. Make it smaller and upload it again.",
  too_small: "The picture is too small to be recognised. Choose a larger one.",
  too_large: "The file is larger than allowed. Choose a smaller one, or save this one at a lower quality.",
  too_complex: "The picture is stored in a way that takes too long to read. Save it again as a plain JPEG or PNG.",
  checksum_mismatch: "The picture was changed on its way here. Upload it again.",
  crop_out_of_bounds: "The chosen part lies outside of the picture. Choose it again.",
};

/** Return the sentence for a rejection, or the service's message. */
export function explainReason({ code, message } = {}) {
  return REASONS[code] ?? message ?? "The picture was rejected.";
}

/** By HTTP status: the sentence and the remedy ("retry", "signIn" or none). */
const SERVICE = {
  400: ["The service did not accept this request."],
  401: ["Your sign-in is no longer valid.", "signIn"],
  403: ["You may not do this."],
  404: ["This upload no longer exists. Upload the picture again."],
  409: ["Something else changed this at the same moment. Try once more.", "retry"],
  413: ["The file is too large. Choose a smaller one."],
  415: ["This kind of file is not supported. Choose a JPEG, PNG, WebP, GIF or AVIF picture."],
  429: ["Too many requests in a short time.", "retry"],
};

/** By S3's error code. A retry creates a new form, which helps if the old one has expired. */
const STORAGE = {
  AccessDenied: ["The permission to upload has expired, or does not allow this file.", "retry"],
  EntityTooLarge: ["The storage refused the file: it is larger than announced."],
  EntityTooSmall: ["The storage refused the file: it is smaller than allowed."],
  BadDigest: ["The file changed on its way to the storage.", "retry"],
  XAmzContentChecksumMismatch: ["The file changed on its way to the storage.", "retry"],
};

const FALLBACK = {
  service: ["The service has a problem. Trying again is safe.", "retry"],
  storage: ["The storage refused the file.", "retry"],
  network: ["No connection to the service. Check that you are online and that the stack is running.", "retry"],
  slow: ["This is taking longer than usual.", "retry"],
  empty: ["The file is empty. Choose another one."],
  file: ["The file cannot be read. It may be a folder, or it was moved since you chose it."],
};

/** Return a sentence for a failure, the service's or S3's message, and a remedy. */
export function explainFailure(failure) {
  const { kind, status, code, message, details, retryAfter } = failure;
  const known = { service: SERVICE[status], storage: STORAGE[code] }[kind];
  const [sentence, remedy = null] = known ?? FALLBACK[kind];
  const wait = retryAfter ? ` Try again in ${duration(retryAfter)}.` : "";
  const said = [...(code ? [code] : []), ...(details?.length ? details : [message])].filter(Boolean).join(": ");
  return { sentence: sentence + wait, remedy, detail: kind in { service: 1, storage: 1 } ? said : "" };
}

/** The service answers every failed bind with the same 400. */
export function explainBindFailure(failure) {
  const explained = explainFailure(failure);
  if (failure.status !== 400) return explained;
  return { ...explained, sentence: "This picture can no longer be used. Upload it again." };
}

function duration(seconds) {
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
