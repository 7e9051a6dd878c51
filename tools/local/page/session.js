/** Stands for a product's sign-in: the development users, and the one who is signed in. */

import { createProfileMedia } from "profile-media";

const KEY = "profile-media-person";

/**
 * Return the stack's address and users. Read again for fresh tokens: they expire, and stacks restart.
 * Reject with a TypeError if the stack does not answer.
 */
export async function readStack() {
  const response = await fetch("/stack.json", { cache: "no-store" });
  if (!response.ok) throw new TypeError(`stack.json: ${response.status}`);
  return response.json();
}

/** Return a client for a user. It gets a new token when the service refuses the old one. */
export function clientOf(stack, person) {
  let { token } = stack.users[person];
  return createProfileMedia({
    baseUrl: stack.api,
    async getToken({ refresh }) {
      if (refresh) ({ token } = (await readStack()).users[person]);
      return token;
    },
  });
}

/** Return the signed-in user's key. Each tab has its own user; a new tab starts with the last one. */
export function remembered() {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

/** Remember who is signed in; null for nobody. Tokens are not stored. */
export function remember(person) {
  for (const storage of [sessionStorage, localStorage]) {
    storage.setItem(KEY, person ?? "");
  }
}
