/** The style sheet, which a Content-Security-Policy without inline styles allows. */

const CSS = `
:host {
  --accent: var(--profile-media-accent, light-dark(#1d4ed8, #9db8ff));
  --on-accent: var(--profile-media-on-accent, light-dark(#fff, #0b1533));
  --surface: var(--profile-media-surface, light-dark(#fff, #16181d));
  --text: var(--profile-media-text, light-dark(#16181d, #f1f3f7));
  --muted: var(--profile-media-muted, light-dark(#565d6b, #a7aebd));
  --border: var(--profile-media-border, light-dark(#d3d8e0, #3a404c));
  --placeholder: var(--profile-media-placeholder, light-dark(#e8ebf1, #2a2f39));
  --danger: var(--profile-media-danger, light-dark(#b3261e, #ff9d94));
  --radius: var(--profile-media-radius, 10px);
  --avatar: var(--profile-media-avatar-size, 128px);
  display: block;
  color: var(--text);
  font: var(--profile-media-font, inherit);
  line-height: 1.45;
  text-align: start;
}
:host([hidden]) { display: none; }
*, ::before { box-sizing: border-box; }
[hidden] { display: none !important; }
p, h2 { margin: 0; font-size: inherit; }
.unseen {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.container { position: relative; container-type: inline-size; }
.container.avatar { display: flex; flex-wrap: wrap; gap: 1rem 1.25rem; align-items: center; }
.container.coverImage { display: grid; gap: 1rem; }
.picture {
  position: relative;
  flex: none;
  display: grid;
  place-items: center;
  overflow: hidden;
  border-radius: var(--radius);
}
.avatar > .picture { inline-size: var(--avatar); aspect-ratio: 1; border-radius: 50%; }
.coverImage > .picture { inline-size: 100%; aspect-ratio: 3; }
.picture.empty, .loading .picture { background: var(--placeholder); }
.loading .side > .actions, .vacant .remove { visibility: hidden; }
.picture img { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover; }
.placeholder { visibility: hidden; color: var(--muted); font-size: calc(var(--avatar) * 0.34); font-weight: 600; line-height: 1; }
.picture.empty .placeholder { visibility: visible; }
.picture.empty img { visibility: hidden; }
.placeholder svg { inline-size: 1.5em; block-size: 1.5em; stroke-width: 1.25; }
.coverImage .placeholder { font-size: 1.5rem; }
.side { flex: 1 1 15rem; min-inline-size: 0; display: grid; gap: 0.75rem; }

.actions { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
button {
  display: inline-flex;
  gap: 0.45em;
  align-items: center;
  justify-content: center;
  min-block-size: 2.5rem;
  padding: 0.4rem 0.95rem;
  border: 1px solid var(--border);
  border-radius: var(--radius);
  background: var(--surface);
  color: var(--text);
  font: inherit;
  font-weight: 500;
  cursor: pointer;
}
button:hover:not(:disabled) { border-color: var(--muted); }
button.primary { border-color: transparent; background: var(--accent); color: var(--on-accent); }
button.primary:hover:not(:disabled) { border-color: transparent; filter: brightness(1.1); }
button.plain { border-color: transparent; background: none; color: var(--accent); }
button.plain:hover:not(:disabled) { border-color: transparent; text-decoration: underline; }
button:disabled { opacity: 0.5; cursor: default; }
.message button { min-block-size: 1.75rem; margin-block: -0.25rem; margin-inline-start: 0.35rem; padding-block: 0; }
.camera { display: none; }
@media (pointer: coarse) { .camera { display: inline-flex; } }
button:focus-visible, input:focus-visible, .stage:focus-visible {
  outline: 3px solid var(--profile-media-focus, var(--accent));
  outline-offset: 2px;
}
svg { inline-size: 1.25em; block-size: 1.25em; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }

.notes { display: grid; font-size: 0.875em; }
.notes > * { grid-area: 1 / 1; }
.hint { color: var(--muted); }
.notes.told .hint { visibility: hidden; }
.message { overflow-wrap: anywhere; }
.message.error, dialog .message { color: var(--danger); }
.drop {
  position: absolute;
  inset: -0.5rem;
  z-index: 1;
  display: grid;
  place-items: center;
  border: 2px dashed var(--accent);
  border-radius: var(--radius);
  background: color-mix(in srgb, var(--surface) 88%, var(--accent));
  color: var(--text);
  font-weight: 600;
  visibility: hidden;
  pointer-events: none;
}
.dragging > .drop { visibility: visible; }

dialog {
  --stage: min(560px, 100dvh - 17rem);
  inline-size: fit-content;
  max-inline-size: calc(100% - 2rem);
  max-block-size: calc(100% - 2rem);
  margin: auto;
  padding: 1.25rem;
  overflow: auto;
  overscroll-behavior: contain;
  border: 1px solid var(--border);
  border-radius: calc(var(--radius) * 1.6);
  background: var(--surface);
  color: var(--text);
  box-shadow: 0 24px 64px rgb(0 0 0 / 0.35);
}
dialog.coverImage { --stage: min(820px, 200dvh - 48rem); }
dialog[open] { display: grid; gap: 0.75rem; grid-template-columns: minmax(0, 1fr); }
dialog::backdrop { background: rgb(0 0 0 / 0.6); }
.head { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: center; justify-content: space-between; }
button.plain { padding-inline: 0; }
h2 { font-size: 1.2em; font-weight: 600; }
.body { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; justify-content: center; justify-items: center; }
.stage {
  position: relative;
  inline-size: max(var(--stage), 13rem);
  max-inline-size: 100%;
  aspect-ratio: 1;
  overflow: hidden;
  border-radius: var(--radius);
  background: #1b1d22;
  cursor: grab;
  touch-action: none;
  user-select: none;
}
.stage:active { cursor: grabbing; }
.coverImage .stage { aspect-ratio: 2; }
.stage canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
.cannot { position: absolute; inset: 0; display: grid; place-items: center; padding: 2rem; text-align: center; color: #fff; }
.previews { display: flex; gap: 1rem; align-items: center; justify-content: center; max-inline-size: 100%; }
.preview { display: block; border-radius: 50%; background: var(--placeholder); }
.coverImage .preview { border-radius: calc(var(--radius) / 2); }
.w256 { inline-size: 256px; block-size: 256px; display: none; }
.w128 { inline-size: 128px; block-size: 128px; }
.w64 { inline-size: 64px; block-size: 64px; }
.w375 { inline-size: 375px; max-inline-size: 100%; aspect-ratio: 3; }
.help { font-size: 0.875em; color: var(--muted); text-align: center; }
.failed .help { visibility: hidden; }
dialog .message { font-size: 0.875em; font-weight: 500; text-align: center; }
.strip { display: grid; grid-template-columns: minmax(0, 1fr); }
.strip > * { grid-area: 1 / 1; align-self: center; }
.controls { display: flex; gap: 0.5rem; align-items: center; justify-content: center; }
.controls input { flex: 0 1 16rem; min-inline-size: 0; block-size: 2rem; margin: 0; accent-color: var(--accent); cursor: pointer; }
button.icon { inline-size: 2.5rem; padding: 0; flex: none; }
.sending { visibility: hidden; }
.sending label { display: grid; gap: 0.35rem; font-size: 0.875em; }
.busy .controls { visibility: hidden; }
.busy .sending { visibility: visible; }
.busy .stage { opacity: 0.7; cursor: default; }
progress {
  inline-size: 100%;
  block-size: 0.5rem;
  overflow: hidden;
  appearance: none;
  border: 0;
  border-radius: 1rem;
  background: var(--placeholder);
}
progress::-webkit-progress-bar { background: var(--placeholder); }
progress::-webkit-progress-value { border-radius: 1rem; background: var(--accent); }
progress::-moz-progress-bar { border-radius: 1rem; background: var(--accent); }
dialog > .actions { justify-content: flex-end; }

@media (min-width: 560px) and (min-height: 960px) {
  dialog.avatar { --stage: min(560px, 100dvh - 33rem); }
  .avatar .w256 { display: block; }
}
@media (min-width: 720px) and (max-height: 959px) {
  .avatar .body { grid-template-columns: auto auto; gap: 1.25rem; align-items: center; }
  .avatar .previews { flex-direction: column; }
}
@media (min-width: 940px) {
  dialog.avatar { --stage: min(560px, 100dvh - 17rem); }
  .avatar .body { grid-template-columns: auto auto; gap: 1.25rem; align-items: center; }
  .avatar .previews { flex-direction: column; }
}
@media (min-width: 940px) and (min-height: 770px) {
  .avatar .w256 { display: block; }
}
@media (max-width: 559px) {
  dialog {
    inline-size: 100%;
    max-inline-size: 100%;
    block-size: 100%;
    max-block-size: 100%;
    padding: 1rem;
    border: 0;
    border-radius: 0;
    align-content: start;
  }
  dialog.avatar { --stage: calc(100dvh - 25.5rem); }
  dialog > .actions button { flex: 1 1 auto; }
  .controls button.icon { inline-size: 2.25rem; }
}
@media (prefers-reduced-motion: no-preference) {
  button { transition: border-color 0.15s, filter 0.15s; }
  progress::-webkit-progress-value { transition: inline-size 0.2s; }
  .busy progress:indeterminate { animation: pulse 1.2s ease-in-out infinite alternate; }
  dialog[open] { animation: appear 0.15s ease-out; }
}
@keyframes pulse { to { opacity: 0.4; } }
@keyframes appear { from { opacity: 0; transform: translateY(8px); } }
@media (forced-colors: active) {
  .picture, .stage, dialog, progress { border: 1px solid CanvasText; }
  button.primary { border-color: Highlight; }
}
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** Return the one sheet of all elements. */
export function styleSheet() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
