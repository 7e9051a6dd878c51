/** The current picture: a preview of the file, and its derivatives. */

let previewUrl = null;

/** Show the chosen file, cropped like the slot's derivatives, before it is sent. */
export function showPreview(figure, file) {
  const image = figure.querySelector("img");
  const caption = figure.querySelector('[data-part="about"]');
  const about = `${file.type || "unknown type"} · ${bytes(file.size)}`;

  forgetPreview(figure);
  previewUrl = URL.createObjectURL(file);
  figure.querySelector('[data-part="file-name"]').textContent = file.name;
  caption.textContent = about;
  image.onload = () => (caption.textContent = `${image.naturalWidth} × ${image.naturalHeight} px · ${about}`);
  image.onerror = () => {
    image.hidden = true;
    caption.textContent = `${about} · this browser cannot show it`;
  };
  image.hidden = false;
  image.alt = `Preview of ${file.name}`;
  image.src = previewUrl;
  figure.hidden = false;
}

/** Hide the preview and free its memory. */
export function forgetPreview(figure) {
  figure.hidden = true;
  if (previewUrl) URL.revokeObjectURL(previewUrl);
  previewUrl = null;
}

/** Show the derivatives with name, pixels and bytes, largest first. */
export function showDerivatives(list, template, upload) {
  list.dataset.slot = upload.slot;
  list.replaceChildren(
    ...Object.entries(upload.derivatives ?? {})
      .sort(([, one], [, other]) => other.width - one.width)
      .map(([name, derivative]) => derivativeItem(template, name, derivative)),
  );
}

function derivativeItem(template, name, { url, width, height, contentType, bytes: size }) {
  const item = template.content.cloneNode(true);
  const image = item.querySelector("img");
  Object.assign(image, { src: url, width, height, alt: `Derivative ${name}` });
  item.querySelector("a").href = url;
  item.querySelector('[data-part="name"]').textContent = name;
  item.querySelector('[data-part="pixels"]').textContent = `${width} × ${height} px`;
  item.querySelector('[data-part="bytes"]').textContent = `${bytes(size)} · ${contentType.replace("image/", "")}`;
  return item;
}

/** Format a number of bytes. */
export function bytes(count) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const precision = power ? { unitDisplay: "short", maximumFractionDigits: 1 } : { unitDisplay: "long" };
  const format = new Intl.NumberFormat("en", { style: "unit", unit: units[power], ...precision });
  return format.format(count / 1000 ** power);
}
