/** What the elements of a page with the same client know together: one profile, and what is being removed from it. */

/** @import { Profile, ProfileMedia, Slot } from "../src/index.js" */

/** @type {WeakMap<ProfileMedia, Shared>} */
const BY_CLIENT = new WeakMap();

class Shared {
  /** As the service knows it. @type {Profile | null} */
  profile = null;
  /** Slots whose removal can still be undone. @type {Set<Slot>} */
  removed = new Set();
  /** @type {Promise<Profile> | null} */ #reading = null;
  #client;

  /** @param {ProfileMedia} client */
  constructor(client) {
    this.#client = client;
  }

  /** The profile as the person should see it. */
  get shown() {
    if (!this.profile) return null;
    return { ...this.profile, ...Object.fromEntries([...this.removed].map((slot) => [slot, null])) };
  }

  /** Read the profile, once for all that ask at the same time. */
  read() {
    this.#reading ??= this.#client
      .profile()
      .then((profile) => (this.profile = profile))
      .finally(() => (this.#reading = null));
    return this.#reading;
  }

  /** Read the profile after a change: a reading that began before it does not count. */
  async readAgain() {
    await this.#reading?.catch(() => {});
    return this.read();
  }
}

/** @param {ProfileMedia} client */
export function sharedBy(client) {
  const shared = BY_CLIENT.get(client) ?? new Shared(client);
  BY_CLIENT.set(client, shared);
  return shared;
}
