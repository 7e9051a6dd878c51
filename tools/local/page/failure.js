/** A box that explains a failure, with a button if there is a remedy. */

const LABELS = { retry: "Try again", signIn: "Sign in again" };

/** Show an explained failure. `remedies` maps a remedy to the button's action. */
export function showFailure(box, { sentence, detail, remedy }, remedies) {
  const button = box.querySelector("button");
  box.querySelector('[data-part="sentence"]').textContent = sentence;
  box.querySelector('[data-part="detail"]').textContent = detail;
  button.hidden = !remedies[remedy];
  button.textContent = LABELS[remedy] ?? "";
  button.onclick = remedies[remedy] ?? null;
  box.hidden = false;
}

/** Hide the box. */
export function clearFailure(box) {
  box.hidden = true;
  for (const part of box.querySelectorAll("[data-part]")) part.textContent = "";
}
