// One drawing: pan, zoom, keys, an overview, and boxes that open, close and are chosen.
"use strict";

class View {
  // `host` is an empty element; `choose(side, box)` is called when a box is chosen.
  constructor(host, data, side, choose) {
    this.host = host;
    this.data = data;
    this.side = side;
    this.choose = choose;
    this.clusters = Clusters.of(data, side);
    this.open = new Set();
    this.chosen = null;
    const e = Format.element;
    this.edgesLayer = e("g", { class: "edges" });
    this.boxesLayer = e("g", { class: "boxes" });
    this.scene = e("g", {}, this.edgesLayer, this.boxesLayer);
    this.svg = e("svg", {
      class: "drawing", tabindex: 0, role: "application",
      "aria-label": `The graph ${side}. Arrow keys walk along values, Enter opens or closes, plus and minus zoom, 0 fits.`,
    }, this.scene);
    this.frame = e("rect", { class: "frame" });
    this.small = e("g");
    this.overview = e("svg", { class: "overview", preserveAspectRatio: "none", "aria-hidden": "true" }, this.small, this.frame);
    host.append(this.svg, this.overview);
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.listen();
  }

  openAll(on) {
    this.open = new Set(on ? this.clusters.keys() : []);
    this.draw();
  }

  toggle(id, keep = true) {
    const before = this.byKey.get(id);
    const screen = before && [before.x * this.scale + this.x, before.y * this.scale + this.y];
    if (this.open.has(id)) this.open.delete(id);
    else this.open.add(id);
    this.draw();
    const after = this.byKey.get(id);
    if (keep && screen && after) {
      this.x = screen[0] - after.x * this.scale;
      this.y = screen[1] - after.y * this.scale;
      this.moved();
    }
  }

  draw() {
    const e = Format.element;
    const found = Clusters.arrange(this.data, this.side, this.clusters, this.open);
    Object.assign(this, { width: found.width, height: found.height, boxes: found.boxes });
    this.byKey = new Map(found.boxes.map((b) => [b.key, b]));
    this.up = new Map();
    this.down = new Map();
    const edges = document.createDocumentFragment();
    for (const edge of found.edges) {
      edge.element = e("path", { d: edge.path, class: edge.far ? "far-edge" : null });
      edges.append(edge.element);
      push(this.down, edge.source, edge);
      push(this.up, edge.target, edge);
    }
    const boxes = document.createDocumentFragment();
    const small = document.createDocumentFragment();
    for (const b of found.boxes) {
      b.element = this.boxElement(b);
      boxes.append(b.element);
      if (!b.open) small.append(e("rect", { class: this.classOf(b), x: b.x, y: b.y, width: b.w, height: b.h }));
    }
    for (const b of found.boxes) this.stubs(b, boxes);
    this.edgesLayer.replaceChildren(edges);
    this.boxesLayer.replaceChildren(boxes);
    this.small.replaceChildren(small);
    this.overview.setAttribute("viewBox", `0 0 ${Math.max(found.width, 1)} ${Math.max(found.height, 1)}`);
    this.mark(this.chosen);
    this.moved();
  }

  // Words in the place of edges that go too far to be drawn; they show when an end is chosen.
  stubs(b, parent) {
    const e = Format.element;
    const farther = (table) => (table.get(b.key) || []).filter((edge) => edge.far);
    const uses = farther(this.down), sources = farther(this.up);
    if (uses.length) {
      const words = `↓ ${uses.length} use${uses.length === 1 ? "" : "s"} far below`;
      parent.append(e("text", { class: "stub", x: b.x + b.w / 2, y: b.y + b.h + 9 }, words));
    }
    if (sources.length) {
      const names = sources.map((edge) => Format.shorten(this.byKey.get(edge.source).lines[0].split(":")[0], 18));
      parent.append(e("text", { class: "stub", x: b.x + b.w / 2, y: b.y - 8 }, `↑ ${names.join(", ")}`));
    }
  }

  classOf(b) {
    if (b.cluster) {
      const region = b.cluster.region !== undefined ? this.data.regions[b.cluster.region] : null;
      const form = region ? (region.form === "kernels" ? "region" : "region plain") : "family";
      return `box cluster ${form}${b.open ? " open" : ""}`;
    }
    const family = b.op.kind === "kernel" ? (b.op.region !== null ? "stitched" : "family-kernel") : b.op.kind;
    return `box ${family}`;
  }

  boxElement(b) {
    const e = Format.element;
    const group = e("g", {
      class: this.classOf(b), transform: `translate(${b.x.toFixed(1)},${b.y.toFixed(1)})`, role: "button",
      "aria-label": b.lines.join(", ") + (b.cluster ? (b.open ? ", open" : ", closed") : ""), "data-key": b.key,
    });
    const round = b.op && (b.op.kind === "input" || b.op.kind === "output") ? b.h / 2 : 5;
    group.append(e("rect", { width: b.w.toFixed(1), height: b.h, rx: round }));
    if (b.open) {
      group.append(e("text", { x: 10, y: 16, class: "title" }, `▾ ${b.lines[0]}   ${b.lines[1] || ""}`));
      return group;
    }
    const scheme = b.op && this.side === "before" ? Panel.schemeOf(this.data, b.op) : null;
    if (scheme) group.append(e("circle", { class: `scheme ${scheme}`, cx: b.w - 9, cy: 9, r: 4 }));
    const lead = b.cluster ? "▸ " : "";
    const step = 15, top = b.h / 2 - ((b.lines.length - 1) * step) / 2;
    b.lines.forEach((line, k) => {
      const text = (k ? "" : lead) + line;
      group.append(e("text", { x: b.w / 2, y: top + k * step, class: k ? "second" : "first" }, text));
    });
    return group;
  }

  // Choose a box by key; `show` moves it into sight.
  select(key, show = false, tell = true) {
    if (!this.byKey.has(key)) return;
    this.mark(key);
    if (show) this.center(key);
    if (tell) this.choose(this.side, this.byKey.get(key));
  }

  // Show the op with this id, opening what holds it.
  reveal(op) {
    if (!this.byKey.has(`o${op}`)) {
      for (const cluster of this.clusters.values()) if (cluster.ops.includes(op)) this.open.add(cluster.id);
      this.draw();
    }
    this.select(`o${op}`, true);
  }

  mark(key) {
    for (const e of this.svg.querySelectorAll(".chosen, .near")) e.classList.remove("chosen", "near");
    this.chosen = this.byKey.has(key) ? key : null;
    if (this.chosen === null) return;
    this.byKey.get(key).element.classList.add("chosen");
    for (const edge of [...(this.up.get(key) || []), ...(this.down.get(key) || [])]) {
      edge.element.classList.add("near");
      edge.element.parentNode.append(edge.element);
    }
  }

  // Mark the boxes of other sides' choice without choosing them.
  echo(keys) {
    for (const e of this.svg.querySelectorAll(".echo")) e.classList.remove("echo");
    const found = keys.filter((k) => this.byKey.has(k));
    for (const key of found) this.byKey.get(key).element.classList.add("echo");
    if (found.length && !found.some((k) => this.visible(k))) this.center(found[0]);
  }

  visible(key) {
    const b = this.byKey.get(key);
    const { width, height } = this.size();
    const x = b.x * this.scale + this.x, y = b.y * this.scale + this.y;
    return x + b.w * this.scale > 0 && x < width && y + b.h * this.scale > 0 && y < height;
  }

  size() {
    return { width: this.svg.clientWidth || 600, height: this.svg.clientHeight || 600 };
  }

  // The first sight: the whole width where it is readable, from the top.
  start() {
    const { width, height } = this.size();
    const whole = Math.min((width - 70) / this.width, (height - 40) / this.height);
    this.scale = Math.min(1, Math.max(whole, Math.min(1, Math.max((width - 70) / this.width, 0.55))));
    this.x = (width - 60 - this.width * this.scale) / 2;
    this.y = 20;
    if (this.width * this.scale > width) {
      const first = this.boxes.find((b) => b.op && b.op.kind === "input") || this.boxes[0];
      if (first) this.x = (width - 60) / 2 - (first.x + first.w / 2) * this.scale;
    }
    this.moved();
  }

  fit() {
    const { width, height } = this.size();
    this.scale = Math.min(1.2, (width - 70) / this.width, (height - 40) / this.height);
    this.x = (width - 60 - this.width * this.scale) / 2;
    this.y = (height - this.height * this.scale) / 2;
    this.moved();
  }

  center(key) {
    const b = this.byKey.get(key);
    const { width, height } = this.size();
    this.scale = Math.max(this.scale, 0.7);
    this.x = (width - 60) / 2 - (b.x + b.w / 2) * this.scale;
    this.y = height / 2 - (b.y + Math.min(b.h / 2, 200)) * this.scale;
    this.moved();
  }

  zoom(factor, x, y) {
    const { width, height } = this.size();
    const [cx, cy] = x === undefined ? [width / 2, height / 2] : [x, y];
    const scale = Math.max(0.03, Math.min(3, this.scale * factor));
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.moved();
  }

  moved() {
    this.scene.setAttribute("transform", `translate(${this.x.toFixed(1)},${this.y.toFixed(1)}) scale(${this.scale.toFixed(4)})`);
    this.svg.classList.toggle("far", this.scale < 0.38);
    const { width, height } = this.size();
    const whole = this.width * this.scale <= width && this.height * this.scale <= height;
    this.overview.classList.toggle("needless", whole);
    const frame = { x: -this.x / this.scale, y: -this.y / this.scale, width: width / this.scale, height: height / this.scale };
    for (const [name, value] of Object.entries(frame)) this.frame.setAttribute(name, value.toFixed(1));
  }

  listen() {
    let drag = null;
    this.svg.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, y: event.clientY, moved: false };
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (!drag || !(event.buttons & 1)) return;
      const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      if (!drag.moved) this.svg.setPointerCapture(event.pointerId);
      Object.assign(drag, { x: event.clientX, y: event.clientY, moved: true });
      this.x += dx;
      this.y += dy;
      this.moved();
    });
    this.svg.addEventListener("click", (event) => {
      if (drag && drag.moved) return;
      const group = event.target.closest("[data-key]");
      if (group) this.select(group.getAttribute("data-key"));
    });
    this.svg.addEventListener("dblclick", (event) => {
      const group = event.target.closest(".cluster");
      if (group) this.toggle(group.getAttribute("data-key"));
    });
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const at = this.svg.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey || event.altKey || Math.abs(event.deltaY) >= 50 && event.deltaX === 0)
        this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - at.left, event.clientY - at.top);
      else {
        this.x -= event.deltaX;
        this.y -= event.deltaY;
        this.moved();
      }
    }, { passive: false });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    const jump = (event) => {
      const at = this.overview.getBoundingClientRect();
      const { width, height } = this.size();
      this.x = width / 2 - ((event.clientX - at.left) / at.width) * this.width * this.scale;
      this.y = height / 2 - ((event.clientY - at.top) / at.height) * this.height * this.scale;
      this.moved();
    };
    this.overview.addEventListener("pointerdown", (event) => {
      this.overview.setPointerCapture(event.pointerId);
      jump(event);
    });
    this.overview.addEventListener("pointermove", (event) => event.buttons & 1 && jump(event));
  }

  key(event) {
    const zooms = { "+": 1.25, "=": 1.25, "-": 0.8 };
    if (zooms[event.key]) this.zoom(zooms[event.key]);
    else if (event.key === "0") this.fit();
    else if (event.key === "Enter" || event.key === " ") {
      const id = this.clusterOf(this.chosen);
      if (id) {
        this.toggle(id);
        this.select(id);
      }
    } else if (event.key.startsWith("Arrow")) this.step(event.key.slice(5));
    else return;
    event.preventDefault();
  }

  // The cluster that a box is or lies in.
  clusterOf(key) {
    if (this.clusters.has(key)) return key;
    const op = Number((key || "").slice(1));
    for (const cluster of this.clusters.values()) if (cluster.ops.includes(op)) return cluster.id;
    return null;
  }

  step(way) {
    const here = this.byKey.get(this.chosen);
    if (!here) return this.boxes.length && this.select(this.boxes[0].key, true);
    const next = way === "Up" || way === "Down" ? this.along(way) : this.beside(here, way);
    if (next) this.select(next, !this.visible(next));
  }

  along(way) {
    const table = way === "Up" ? this.up : this.down;
    let edges = table.get(this.chosen);
    if (!edges) edges = table.get(this.clusterOf(this.chosen)); // from the border of a region on
    return edges && edges.length ? edges[0][way === "Up" ? "source" : "target"] : null;
  }

  beside(here, way) {
    const sign = way === "Left" ? -1 : 1;
    const row = this.boxes.filter((b) => b !== here && !b.open && b.y < here.y + here.h && b.y + b.h > here.y && sign * (b.x - here.x) > 0);
    row.sort((a, b) => sign * (a.x - b.x));
    return row.length ? row[0].key : null;
  }
}

function push(map, key, value) {
  if (map.has(key)) map.get(key).push(value);
  else map.set(key, [value]);
}
