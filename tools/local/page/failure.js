/** A box that tells a person what went wrong, with a button where something can be done about it. */

const LABELS = { retry: "Try again", signIn: "Sign in again" };

/** Shows an explained failure; `remedies` are what its button does, by remedy. */
export function showFailure(box, { sentence, detail, remedy }, remedies) {
  const button = box.querySelector("button");
  box.querySelector('[data-part="sentence"]').textContent = sentence;
  box.querySelector('[data-part="detail"]').textContent = detail;
  button.hidden = !remedies[remedy];
  button.textContent = LABELS[remedy] ?? "";
  button.onclick = remedies[remedy] ?? null;
  box.hidden = false;
}

/** Takes the box away. */
export function clearFailure(box) {
  box.hidden = true;
  for (const part of box.querySelectorAll("[data-part]")) part.textContent = "";
}
