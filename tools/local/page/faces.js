/** A user's face: the avatar, else the identity provider's picture, else the initials. */

/**
 * Fill `place` with a face of `size` CSS pixels. `avatar` is from a profile: null if there is none, undefined while it is
 * not known, which shows an empty circle. `alt` describes the picture; without it, the name is beside it.
 */
export function showFace(place, { size, avatar, user, alt = "" }) {
  place.className = "face";
  place.style.setProperty("--size", `${size}px`);
  const showInitials = () => place.replaceChildren(initials(user.name));
  if (avatar === undefined) {
    place.replaceChildren();
  } else if (avatar) {
    place.replaceChildren(pictureOf(avatar, { sizes: `${size}px`, alt, unreachable: showInitials }));
  } else if (user.picture) {
    place.replaceChildren(Object.assign(new Image(size, size), { src: user.picture, alt, onerror: showInitials }));
  } else {
    showInitials();
  }
  place.ariaHidden = alt ? null : "true";
}

/** Return an image of a slot's picture, which loads the derivative that fits its size. */
export function pictureOf({ derivatives, url, alt: text }, { sizes, alt, unreachable }) {
  const image = Object.assign(new Image(), { alt: alt && (text ?? alt), onerror: unreachable });
  const sorted = Object.values(derivatives).sort((one, other) => one.width - other.width);
  image.sizes = sizes;
  image.srcset = sorted.map((each) => `${each.url} ${each.width}w`).join(", ");
  image.src = sorted.at(-1)?.url ?? url;
  return image;
}

function initials(name) {
  const words = name.split(/\s+/);
  return [words[0], ...words.slice(1).slice(-1)].map((word) => [...word][0].toUpperCase()).join("");
}
