// Small helpers: elements, numbers with units, plain data as text.
"use strict";

const Format = (() => {
  function bytes(count) {
    for (const unit of ["B", "KB", "MB"]) {
      if (count < 1000) return `${Number(count.toPrecision(3))} ${unit}`;
      count /= 1000;
    }
    return `${Number(count.toPrecision(3))} GB`;
  }

  function seconds(value) {
    return value < 1e-3 ? `${(value * 1e6).toFixed(1)} µs` : `${(value * 1e3).toFixed(3)} ms`;
  }

  function share(part, whole) {
    return whole ? `${Math.round((100 * part) / whole)} %` : "";
  }

  function compact(value) {
    if (Array.isArray(value)) return `[${value.map(compact).join(", ")}]`;
    if (value && typeof value === "object")
      return Object.entries(value).map(([k, v]) => `${k} ${compact(v)}`).join(", ");
    if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
    return String(value);
  }

  // element("td", {class: "x", onclick: f}, child, ...): text children are text, never markup.
  function element(name, attributes = {}, ...children) {
    const svg = ["g", "rect", "path", "text", "svg", "title", "circle"].includes(name);
    const made = svg
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat()) {
      if (child === null || child === undefined) continue;
      made.append(child instanceof Node ? child : String(child));
    }
    return made;
  }

  // Seconds of one launch of a kernel, null where it was not measured.
  function timing(data, kernel) {
    if (!data.measured || !kernel.symbol) return null;
    const symbol = kernel.symbol.split("::").pop();
    const found = data.measured.after.find((t) => t.name === symbol || t.name.startsWith(`${symbol}[`));
    return found && found.launches ? found.seconds / found.launches : null;
  }

  function shorten(text, most) {
    return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
  }

  return { bytes, seconds, share, compact, element, timing, shorten };
})();
