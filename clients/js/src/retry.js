/** Repeat what failed on its way, with pauses that grow. */

import { ProfileMediaError } from "./errors.js";

/** @import { Progress } from "./index.js" */

const ATTEMPTS = 5;

/** S3 refuses an expired form, and the next form can be accepted. A second refusal has another cause. */
const ATTEMPTS_IF_REFUSED = 2;

/** Milliseconds. The longest pause before the n-th repetition is `FIRST * 2 ** n`; the real one is random. */
const FIRST = 500;

/** Milliseconds. A service that asks for more patience than this gets none: the call fails at once. */
const LONGEST = 30_000;

/** Milliseconds to wait for the browser to be online again, per attempt. */
const OFFLINE = 60_000;

/**
 * Return the result of `attempt`. Repeat it if its error is retryable.
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {AbortSignal | undefined} signal
 * @param {((progress: Progress) => void) | undefined} onProgress
 */
export async function withRetries(attempt, signal, onProgress) {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const delay = pauseBefore(tried, error);
      if (delay === null) throw error;
      onProgress?.({ phase: "retrying", delay, error: /** @type {ProfileMediaError} */ (error) });
      await pause(delay, signal);
      if (globalThis.navigator?.onLine === false) await pause(OFFLINE, signal, "online");
    }
  }
}

/** Return the milliseconds before the next attempt, or null if there is none. @param {number} tried @param {unknown} error */
function pauseBefore(tried, error) {
  if (!(error instanceof ProfileMediaError) || !error.retryable) return null;
  const { status = 0, code, retryAfter = 0 } = error;
  const refused = status < 500 && (code === "storage" || code === "checksum_mismatch");
  if (tried >= (refused && status ? ATTEMPTS_IF_REFUSED : ATTEMPTS)) return null;
  const least = retryAfter * 1000;
  return least > LONGEST ? null : Math.round(least + Math.random() * FIRST * 2 ** tried);
}

/**
 * Wait. An event of the window ends the wait early.
 * @param {number} milliseconds @param {AbortSignal} [signal] @param {string} [event]
 * @returns {Promise<void>}
 */
export function pause(milliseconds, signal, event = "") {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      globalThis.removeEventListener?.(event, end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
    if (event) globalThis.addEventListener?.(event, end);
    if (signal?.aborted) end();
  });
}
