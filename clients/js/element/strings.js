/** Choose and fill the texts of the element. */

import { en, LANGUAGES } from "./languages.js";

/** @import { Strings } from "./index.js" */
/** @import { ProfileMediaError } from "../src/index.js" */

/** The languages that are written from right to left. */
const RIGHT_TO_LEFT = /^(ar|dv|fa|he|ku|ps|sd|ug|ur|yi)\b/;

/** Codes that have the same remedy, and so the same sentence. @type {Record<string, string>} */
const SAME = {
  auth_forbidden: "forbidden",
  auth_unauthorized: "signed_out",
  checksum_mismatch: "network",
  crop_unavailable: "gone",
  internal: "unavailable",
  owner_forbidden: "forbidden",
  payload_too_large: "too_large",
  reference_invalid: "gone",
  slow: "unavailable",
  storage: "network",
  token_unavailable: "signed_out",
  too_complex: "corrupt",
  type_mismatch: "corrupt",
  type_unsupported: "unsupported_format",
  upload_not_found: "gone",
  upload_too_large: "too_large",
};

/** @param {string} language */
export function directionOf(language) {
  return RIGHT_TO_LEFT.test(language) ? "rtl" : "ltr";
}

/** Return the texts of a language, or of English. @param {string} language @param {Partial<Strings>} [own] @returns {Strings} */
export function stringsOf(language, own = {}) {
  const base = LANGUAGES[language.toLowerCase().split("-")[0] ?? ""] ?? en;
  return { ...base, ...own, errors: { ...base.errors, ...own.errors } };
}

/** Replace the words in braces. @param {string} text @param {Record<string, string | number>} values */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Return the sentence for a person. The client has the English ones. @param {Strings} strings @param {string} language @param {ProfileMediaError} error */
export function explain(strings, language, { code, message, retryAfter }) {
  const { errors } = strings;
  const sentence = errors[code] ?? errors[SAME[code] ?? ""] ?? errors["other"] ?? message;
  return filled(sentence, { when: retryAfter ? untilThen(language, retryAfter) : strings.soon });
}

/** @param {string} language @param {number} seconds */
function untilThen(language, seconds) {
  const format = new Intl.RelativeTimeFormat(language);
  return seconds < 90 ? format.format(seconds, "second") : format.format(Math.ceil(seconds / 60), "minute");
}
