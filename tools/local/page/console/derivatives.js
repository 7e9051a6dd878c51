/** The derivatives of an upload, side by side at one scale, and their facts. */

/** Show the derivatives, largest first. A picture is never larger than its pixels. */
export function showDerivatives(figure, { derivatives }) {
  const sorted = Object.entries(derivatives).sort(([, one], [, other]) => other.width - one.width);
  figure.querySelector("ul").replaceChildren(...sorted.map(pictureItem));
  figure.querySelector("tbody").replaceChildren(...sorted.map(factsRow));
  figure.hidden = false;
}

function pictureItem([name, { url, width, height }]) {
  const item = document.createElement("li");
  item.style.flex = `${width} 1 0`;
  item.style.maxInlineSize = `${width}px`;
  const link = Object.assign(document.createElement("a"), { href: url, target: "_blank", rel: "noopener" });
  link.append(Object.assign(new Image(width, height), { src: url, alt: `Derivative ${name}` }));
  item.append(link);
  return item;
}

function factsRow([name, { width, height, contentType, bytes: size }]) {
  const row = document.createElement("tr");
  row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: name }));
  for (const text of [`${width} × ${height} px`, bytes(size), contentType.replace("image/", "")]) {
    row.insertCell().textContent = text;
  }
  return row;
}

/** Format a number of bytes. */
export function bytes(count) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const precision = power ? { unitDisplay: "short", maximumFractionDigits: 1 } : { unitDisplay: "long" };
  const format = new Intl.NumberFormat("en", { style: "unit", unit: units[power], ...precision });
  return format.format(count / 1000 ** power);
}
