/** The box that explains a failure and offers to try again. Both pages use it. */

/** Show a sentence, a detail for developers if there is one, and a button that calls `again` if there is one. */
export function showFailure(box, sentence, { detail, again } = {}) {
  const parts = [paragraph(sentence)];
  if (again) parts.push(button("Try again", again));
  if (detail) parts.push(paragraph(detail, "detail"));
  box.replaceChildren(...parts);
}

/** Hide the box. */
export function clearFailure(box) {
  box.replaceChildren();
}

function paragraph(text, name = "") {
  return Object.assign(document.createElement("p"), { textContent: text, className: name });
}

function button(text, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", action);
  return made;
}
