/** Requests to the service: the token, the time limit, repetitions and errors. */

import { ProfileMediaError, serviceError } from "./errors.js";
import { withRetries } from "./retry.js";

/** @import { Progress, ProfileMediaOptions } from "./index.js" */

/** Milliseconds. The service answers within 29 seconds; a connection that was lost while the computer slept never does. */
const TIME_LIMIT = 45_000;

/**
 * @typedef {object} CallOptions
 * @property {unknown} [body] JSON, or a form
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal | undefined} [signal]
 * @property {number} [timeLimit]
 * @property {boolean} [once] do not repeat the request
 * @property {boolean} [keepalive] finish the request even if the page is closed
 * @property {((progress: Progress) => void) | undefined} [onProgress]
 */

/** @typedef {(method: string, path: string, options?: CallOptions) => Promise<any>} Call */

/**
 * Return a function that makes requests and returns the parsed answers. Every request is safe to repeat.
 * @param {Pick<ProfileMediaOptions, "baseUrl" | "getToken">} options
 * @returns {Call}
 */
export function caller({ baseUrl, getToken }) {
  const base = baseUrl.replace(/\/+$/, "");

  /** @type {Call} */
  async function attempt(method, path, { body, headers, signal, timeLimit = TIME_LIMIT, keepalive = false } = {}) {
    const form = body instanceof FormData;
    const send = async (/** @type {boolean} */ refresh) =>
      fetch(base + path, {
        method,
        headers: {
          Authorization: `Bearer ${await token(refresh)}`,
          ...(body && !form ? { "Content-Type": "application/json" } : {}),
          ...headers,
        },
        ...(body ? { body: form ? body : JSON.stringify(body) } : {}),
        signal: AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(timeLimit)]),
        keepalive,
        cache: "no-store",
        credentials: "omit",
      });
    try {
      let response = await send(false);
      if (response.status === 401) response = await send(true);
      if (!response.ok) throw await serviceError(response);
      return response.status === 204 ? undefined : await response.json();
    } catch (error) {
      throw error instanceof ProfileMediaError ? error : new ProfileMediaError("network", { cause: error });
    }
  }

  async function token(/** @type {boolean} */ refresh) {
    try {
      return await getToken({ refresh });
    } catch (cause) {
      throw new ProfileMediaError("token_unavailable", { cause });
    }
  }

  return (method, path, options = {}) => {
    const once = () => attempt(method, path, options);
    return options.once ? once() : withRetries(once, options.signal, options.onProgress);
  };
}
