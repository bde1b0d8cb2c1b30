// The page: two drawings side by side, tabs beside them, and what ties them together.
"use strict";

(() => {
  const e = Format.element;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const SMALL = 120; // up to so many ops, regions are open at first

  const app = { data, showRegion, showKernel, showOp };
  const views = {};

  function choose(side, box) {
    if (box.cluster && box.cluster.region !== undefined) detail(Panel.region(app, box.cluster.region));
    else if (box.cluster) detail(Panel.kernel(app, box.cluster.kernel));
    else if (box.op.kind === "kernel") detail(Panel.kernel(app, data.kernels.findIndex((k) => k.op === box.op.id)));
    else detail(Panel.op(app, side, box.op));
    const other = side === "before" ? "after" : "before";
    views[other].mark(null);
    views[other].echo(counterparts(side, box, other));
    views[side].echo([]);
  }

  // Keys of the boxes of the other side that a box of this side became or stems from.
  function counterparts(side, box, other) {
    const region = box.cluster ? box.cluster.region : box.op.region;
    if (region !== undefined && region !== null) {
      const ops = data[other].ops.filter((o) => o.region === region).map((o) => `o${o.id}`);
      return [`r${region}`, ...ops];
    }
    if (side === "before") {
      const ids = box.cluster ? box.cluster.ops : [box.op.id];
      return [
        ...data.after.ops.filter((o) => o.origin.some((n) => ids.includes(n))),
        ...data.kernels.filter((k) => k.symbol && k.replaces.some((n) => ids.includes(n))).map((k) => data.after.ops[k.op]),
      ].map((o) => `o${o.id}`);
    }
    const at = data.kernels.findIndex((k) => k.op === box.op.id);
    const ids = at >= 0 ? data.kernels[at].replaces : box.op.origin;
    return [`k${at}`, ...ids.map((n) => `o${n}`)];
  }

  function showRegion(number) {
    const key = `r${number}`;
    const side = visible("before") ? "before" : "after";
    if (views[side].byKey.has(key)) views[side].select(key, true);
    else {
      const op = data[side].ops.find((o) => o.region === number);
      if (op) views[side].reveal(op.id);
      detail(Panel.region(app, number));
    }
  }

  function showKernel(index) {
    const kernel = data.kernels[index];
    if (visible("after")) views.after.reveal(kernel.op);
    else if (kernel.replaces.length) views.before.reveal(kernel.replaces[0]);
    detail(Panel.kernel(app, index));
  }

  function showOp(side, id) {
    if (!visible(side)) layout("both");
    views[side].reveal(id);
  }

  function detail(content) {
    byId("detail").replaceChildren(...[content].flat(5).filter((c) => c !== null && c !== undefined));
    tab("detail");
  }

  // Tabs.

  const tabs = { detail: "Detail", regions: "Regions", kernels: "Kernels", left: "Left out" };
  if (data.measured) tabs.measured = "Measured";

  function tab(name) {
    for (const key of Object.keys(tabs)) {
      byId(key).hidden = key !== name;
      byId(`tab-${key}`).setAttribute("aria-selected", String(key === name));
      byId(`tab-${key}`).tabIndex = key === name ? 0 : -1;
    }
  }

  function makeTabs() {
    for (const [name, title] of Object.entries(tabs)) {
      byId("tabs").append(e("button", {
        id: `tab-${name}`, role: "tab", type: "button", "aria-controls": name,
        onclick: () => tab(name),
        onkeydown: (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          const names = Object.keys(tabs);
          const next = names[(names.indexOf(name) + step + names.length) % names.length];
          tab(next);
          byId(`tab-${next}`).focus();
        },
      }, title));
      byId("panes").append(e("div", { id: name, role: "tabpanel", "aria-labelledby": `tab-${name}` }));
    }
    byId("regions").append(...Panel.regions(app));
    byId("kernels").append(...Panel.kernels(app));
    byId("left").append(...Panel.left(app).filter(Boolean));
    if (data.measured) byId("measured").append(...Panel.measured(app));
    byId("detail").append(e("p", { class: "hint" },
      "Choose an op, a region or a kernel. A double click opens and closes a region. On the keyboard: arrow keys walk along the values, ",
      "Enter opens and closes, + and − zoom, 0 shows everything, / searches."),
    e("p", { class: "hint" }, data.rule));
    tab(data.regions.length ? "regions" : "kernels");
  }

  // Head.

  function makeHead() {
    byId("model").textContent = data.model;
    byId("target").textContent = `${data.target} · ${data.pipeline}`;
    document.title = `${data.model}: explained`;
    const b = data.cost_before, a = data.cost_after;
    const card = (title, before, after, note) => e("div", { class: "card" }, e("span", {}, title),
      e("b", {}, before, e("i", {}, " → "), after), e("small", {}, note));
    const launches = data.kernels.filter((k) => k.symbol).length;
    byId("cards").append(
      card("kernels", b.kernels, a.kernels, `${launches} of FSA, ${data.left_to_iree.length} by IREE`),
      card("memory-bound kernels", b.memory_kernels, a.memory_kernels, `${data.regions.length} region${data.regions.length === 1 ? "" : "s"}`),
      card("bytes moved", Format.bytes(b.bytes), Format.bytes(a.bytes), Format.share(a.bytes, b.bytes)),
      card("by memory-bound kernels", Format.bytes(b.memory_bytes), Format.bytes(a.memory_bytes), Format.share(a.memory_bytes, b.memory_bytes)),
    );
    if (data.measured) {
      const total = (rows) => rows.reduce((sum, t) => sum + t.seconds, 0);
      const before = total(data.measured.before), after = total(data.measured.after);
      byId("cards").append(card("measured in kernels", Format.seconds(before), Format.seconds(after), `${(before / after).toFixed(2)} × as fast`));
    }
  }

  // Drawings.

  function visible(side) {
    return !byId(`pane-${side}`).hidden;
  }

  function layout(which) {
    for (const side of ["before", "after"]) byId(`pane-${side}`).hidden = which !== "both" && which !== side;
    for (const button of document.querySelectorAll("[data-layout]"))
      button.setAttribute("aria-pressed", String(button.dataset.layout === which));
    for (const side of ["before", "after"]) if (visible(side)) views[side].moved();
  }

  function shown() {
    return ["before", "after"].filter(visible).map((side) => views[side]);
  }

  function makeViews() {
    for (const side of ["before", "after"]) {
      views[side] = new View(byId(`view-${side}`), data, side, choose);
      const kernels = side === "before" ? data.cost_before.kernels : data.cost_after.kernels;
      byId(`title-${side}`).textContent = `${side}: ${kernels} kernel${kernels === 1 ? "" : "s"}`;
      if (data[side].ops.length <= SMALL) views[side].open = new Set([...views[side].clusters.keys()].filter((k) => k.startsWith("r")));
      views[side].draw();
      views[side].start();
    }
    const on = (id, action) => byId(id).addEventListener("click", action);
    on("open", () => shown().forEach((v) => (v.openAll(true), v.start())));
    on("close", () => shown().forEach((v) => (v.openAll(false), v.start())));
    on("fit", () => shown().forEach((v) => v.fit()));
    on("in", () => shown().forEach((v) => v.zoom(1.25)));
    on("out", () => shown().forEach((v) => v.zoom(0.8)));
    for (const button of document.querySelectorAll("[data-layout]"))
      button.addEventListener("click", () => layout(button.dataset.layout));
    window.addEventListener("resize", () => shown().forEach((v) => v.moved()));
  }

  function makeSearch() {
    const field = byId("search");
    let found = [], at = 0;
    const find = () => {
      const text = field.value.trim().toLowerCase();
      const matches = (o) => [o.label, o.name, o.type, o.location, o.kernel || "", o.region !== null ? `r${o.region}` : ""].some((t) => t.toLowerCase().includes(text));
      const sides = ["before", "after"].filter(visible);
      found = text ? sides.flatMap((side) => data[side].ops.filter(matches).map((o) => [side, o.id])) : [];
      at = 0;
      byId("found").textContent = text ? `${found.length} found` : "";
    };
    field.addEventListener("input", find);
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !found.length) return;
      const [side, id] = found[at % found.length];
      byId("found").textContent = `${(at % found.length) + 1} of ${found.length}`;
      at += 1;
      views[side].reveal(id);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.target === field) return;
      event.preventDefault();
      field.focus();
    });
  }

  function makeTheme() {
    byId("theme").addEventListener("click", () => {
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    });
  }

  // #r3 shows a region, #kernels a tab, #dark or #light the page in these colours.
  function follow() {
    for (const word of location.hash.slice(1).split("&")) {
      if (/^r\d+$/.test(word) && data.regions[Number(word.slice(1))]) showRegion(Number(word.slice(1)));
      else if (word in tabs) tab(word);
      else if (word === "open" || word === "close" || word === "fit") byId(word).click();
      else if (word === "dark" || word === "light") document.documentElement.dataset.theme = word;
    }
  }

  makeHead();
  makeTabs();
  makeViews();
  makeSearch();
  makeTheme();
  follow();
  window.addEventListener("hashchange", follow);
})();
