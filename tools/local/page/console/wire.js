/** The request log: every exchange with the service and S3, newest first, with secrets masked. */

/** The number of entries kept. */
const KEPT = 50;

/** Names of headers, fields and query parameters that contain secrets. */
const SECRET = /^authorization$|token$|signature$|credential$|^policy$/i;

const MASK = "••• masked";

/** Set up the log in a list. `template` is an entry's template. Return a function that adds an exchange. */
export function wireLog(list, template) {
  return function record(exchange) {
    const entry = template.content.cloneNode(true);
    const put = (name, text) => (entry.querySelector(`[data-part="${name}"]`).textContent = text);
    put("method", exchange.method);
    put("path", pathOf(exchange.url));
    put("status", exchange.status || "no answer");
    put("time", `${exchange.milliseconds} ms`);
    put("request", requestText(exchange));
    put("answer", answerText(exchange));
    entry.querySelector("li").dataset.outcome = exchange.status >= 200 && exchange.status < 300 ? "fine" : "failed";
    list.prepend(entry);
    while (list.children.length > KEPT) list.lastElementChild.remove();
  };
}

/** Format a request: method and URL, headers, body, without secrets. */
export function requestText({ method, url, headers, body }) {
  const boundary = /^multipart\/form-data; *boundary=(.+)$/.exec(headers["content-type"])?.[1];
  const start = [`${method} ${maskUrl(url)}`, lines(headers)].filter(Boolean).join("\n");
  return paragraphs(start, boundary ? multipart(body, boundary) : pretty(body));
}

/** Format a response. */
export function answerText({ status, answerHeaders, answer }) {
  if (!status) return "nothing";
  return paragraphs([status, lines(answerHeaders)].filter(Boolean).join("\n"), pretty(parsed(answer)));
}

/** Format a form's body, with the number of bytes in place of a file. */
function multipart(parts, boundary) {
  const files = Object.entries(parts).filter(([, file]) => file.name || file.size);
  const written = files.map(([name, file]) => {
    const disposition = `Content-Disposition: form-data; name="${name}"; filename="${file.name}"`;
    const type = `Content-Type: ${file.type || "application/octet-stream"}`;
    return `--${boundary}\n${disposition}\n${type}\n\n(${file.size.toLocaleString("en")} bytes)`;
  });
  return [...written, `--${boundary}--`].join("\n");
}

/** Shorten the ids in a URL to fit one line. */
function pathOf(url) {
  const { pathname, search } = new URL(maskUrl(url));
  return (pathname + search).replace(/([0-9a-f]{8})-[0-9a-f-]{27}/g, "$1…");
}

/** Mask the values of secret query parameters: presigned URLs contain a signature. */
function maskUrl(url) {
  const masked = new URL(url);
  for (const name of [...masked.searchParams.keys()]) {
    if (SECRET.test(name)) masked.searchParams.set(name, "masked");
  }
  return masked.href;
}

function paragraphs(...texts) {
  return texts.filter(Boolean).join("\n\n");
}

function lines(headers) {
  return Object.entries(mask(headers)).map(([name, value]) => `${name}: ${value}`).join("\n");
}

function pretty(body) {
  if (body === undefined || body === "") return "";
  return typeof body === "string" ? body : JSON.stringify(mask(body), null, 2);
}

function mask(value, name = "") {
  if (value instanceof Blob) return `${value.name} (${value.type || "no type"}, ${value.size} bytes)`;
  if (Array.isArray(value)) return value.map((item) => mask(item));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mask(item, key)]));
  }
  if (SECRET.test(name)) return MASK;
  return typeof value === "string" && /^https?:\/\/[^ ]+\?/.test(value) ? maskUrl(value) : value;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the storage answers in XML
  }
}
