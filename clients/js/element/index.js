/** Defines `<profile-media-picker>`. `index.d.ts` describes it. */

import { ProfileMediaPicker } from "./picker.js";

export { ProfileMediaPicker };

const registry = globalThis.customElements;
if (registry && !registry.get("profile-media-picker")) registry.define("profile-media-picker", ProfileMediaPicker);
