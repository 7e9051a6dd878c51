import type { Profile, ProfileMedia, ProfileMediaError } from "../src/index.js";

/** The texts of the element. Words in braces are replaced. */
export interface Strings {
  avatar: string;
  coverImage: string;
  /** Alternative texts. `{name}` is the attribute `name`. */
  avatarOf: string;
  coverImageOf: string;
  choose: string;
  replace: string;
  camera: string;
  remove: string;
  undo: string;
  again: string;
  cancel: string;
  stop: string;
  other: string;
  apply: string;
  /** With `{formats}`, `{width}`, `{height}` and `{size}`. */
  accepted: string;
  ways: string;
  drop: string;
  adjust: string;
  area: string;
  areaHelp: string;
  zoom: string;
  zoomIn: string;
  zoomOut: string;
  turnLeft: string;
  turnRight: string;
  preview: string;
  /** With `{x}`, `{y}` and `{zoom}`. */
  position: string;
  unseen: string;
  reading: string;
  sending: string;
  processing: string;
  retrying: string;
  done: string;
  stopped: string;
  removed: string;
  restored: string;
  /** Replaces `{when}` in a sentence about an error, if the service did not name a time. */
  soon: string;
  /** Sentences by the error's code. `other` is for all codes that are not listed; without it, the English one is shown. */
  errors: Record<string, string>;
}

export interface ProfileMediaPickerEventMap {
  /** A picture was set, replaced, removed, or the removal was undone. */
  "profile-media-change": CustomEvent<{ profile: Profile }>;
  /** Something failed. The person has been told. */
  "profile-media-error": CustomEvent<ProfileMediaError>;
}

/** `<profile-media-picker slot-name="avatar" lang="en" name="Ada Lovelace" accept-heic>` */
export class ProfileMediaPicker extends HTMLElement {
  /** What `createProfileMedia` returned. Setting it reads the profile. */
  client: ProfileMedia | null;
  /** Replaces some of the texts. */
  strings: Partial<Strings>;
  /** Read the profile again, after it was changed elsewhere. */
  refresh(): Promise<void>;
  addEventListener<K extends keyof ProfileMediaPickerEventMap>(
    type: K,
    listener: (this: ProfileMediaPicker, event: ProfileMediaPickerEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "profile-media-picker": ProfileMediaPicker;
  }
}
