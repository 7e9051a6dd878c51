/** The profile card: what others see of the signed-in user. */

/** Show a profile. `name` is used for alternative texts and for the initials that replace a missing picture. */
export function showProfile(card, name, profile) {
  card.querySelector('[data-part="name"]').textContent = name;
  card.querySelector('[data-part="user-id"]').textContent = profile.userId;
  card.querySelector('[data-part="initials"]').textContent = initials(name);
  card.querySelector('[data-part="updated"]').textContent = updated(profile.updatedAt);
  showPicture(card.querySelector('[data-part="avatar"]'), profile.avatar, `Avatar of ${name}`, "thumb");
  showPicture(card.querySelector('[data-part="cover"]'), profile.coverImage, `Cover image of ${name}`, "full");
}

function showPicture(image, attachment, description, derivative) {
  image.hidden = !attachment;
  image.alt = attachment ? description : "";
  image.removeAttribute("srcset");
  image.removeAttribute("src");
  if (!attachment) return;
  image.onerror = () => (image.hidden = true); // an external URL can be unreachable, or not a picture
  const { derivatives, url } = attachment;
  image.srcset = Object.values(derivatives).map(({ url: of, width }) => `${of} ${width}w`).join(", ");
  image.src = derivatives[derivative]?.url ?? url;
}

function initials(name) {
  const words = name.split(/\s+/);
  return [words[0], ...words.slice(1).slice(-1)].map((word) => word.charAt(0).toUpperCase()).join("");
}

function updated(instant) {
  if (!instant) return "No picture was set yet.";
  const time = new Date(instant).toLocaleTimeString("en-GB");
  return `Pictures last changed at ${time}.`;
}
