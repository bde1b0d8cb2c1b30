// Details and tables beside the drawings.
"use strict";

const Panel = (() => {
  const e = Format.element;
  const schemes = new WeakMap();

  // Map(op id before -> {region, value}) of all values of regions.
  function valuesOf(data) {
    if (!schemes.has(data)) {
      const found = new Map();
      for (const region of data.regions)
        for (const value of region.values)
          for (const op of value.ops) if (!found.has(op)) found.set(op, { region, value });
      schemes.set(data, found);
    }
    return schemes.get(data);
  }

  function schemeOf(data, op) {
    const found = valuesOf(data).get(op.id);
    return found ? found.value.plan.scheme : null;
  }

  function pairs(entries) {
    const shown = entries.filter(([, value]) => value !== "" && value !== null && value !== undefined);
    return e("dl", {}, shown.flatMap(([name, value]) => [e("dt", {}, name), e("dd", {}, value)]));
  }

  function link(text, action, title) {
    return e("button", { class: "link", type: "button", onclick: action, title }, text);
  }

  function schemeTag(scheme, role) {
    return e("span", { class: "nowrap" }, e("span", { class: `tag ${scheme}` }, scheme), role && role !== "local" ? e("span", { class: "role" }, role.replace("_", "-")) : null);
  }

  function planRows(plan, hidden = []) {
    return Object.entries(plan)
      .filter(([name, value]) => !hidden.includes(name) && value !== "")
      .map(([name, value]) => [name.replaceAll("_", " "), Format.compact(value)]);
  }

  function region(app, number) {
    const { data } = app;
    const r = data.regions[number];
    const alike = data.regions.filter((o) => o.like === r.like && o.id !== r.id);
    const kernels = data.kernels.map((k, i) => [k, i]).filter(([k]) => k.region === number);
    return [
      e("h2", {}, `Region r${r.id}`, e("small", {}, ` @${r.function}`)),
      e("p", { class: "facts" },
        `${r.kernels_before} ops → ${r.kernels_after} kernel${r.kernels_after === 1 ? "" : "s"}, `,
        `${Format.bytes(r.bytes_before)} → ${Format.bytes(r.bytes_after)} moved (${Format.share(r.bytes_after, r.bytes_before)})`),
      (r.plan.kernels || []).length > r.kernels_after
        ? e("p", {}, `${r.plan.kernels.length} kernels are planned; those that one worker runs after another are merged.`) : null,
      r.form !== "kernels" ? e("p", { class: "warn" }, `${r.form || "not planned"}: ${r.reason || "no plan was written"}`) : null,
      alike.length ? e("p", {}, "Alike: ", alike.flatMap((o) => [link(`r${o.id}`, () => app.showRegion(o.id)), " "])) : null,
      (r.plan.kernels || []).map((kernel, k) => e("section", {},
        e("h3", {}, `Kernel ${k}: ${kernel.mapping || ""} mapping`),
        kernel.reason ? e("p", {}, kernel.reason) : null,
        pairs(planRows(kernel, ["mapping", "reason"])))),
      pairs([
        ...(r.plan.extents ? [["loops", r.plan.extents.map((x, d) => `d${d} ${x < 0 ? "?" : x}`).join(", ")]] : []),
        ...planRows({ ...r.attributes, ...r.plan }, ["kernels", "form", "extents", ...(r.form !== "kernels" ? ["reason"] : [])]),
      ]),
      r.values.length ? e("h3", {}, "Values") : null,
      r.values.length ? valueTable(app, r) : null,
      kernels.length ? e("h3", {}, "Kernels") : null,
      kernels.map(([k, i]) => e("p", {}, link(k.symbol || data.after.ops[k.op].label, () => app.showKernel(i)),
        ` reads ${Format.bytes(k.read)}, writes ${Format.bytes(k.written)}${timeOf(data, k)}`)),
      r.text ? e("details", {}, e("summary", {}, "The region in MLIR"), e("pre", {}, r.text)) : null,
    ];
  }

  function valueTable(app, r) {
    const quiet = (v) => v.plan.scheme === "local" && v.plan.role === "local";
    const rows = r.values.map((v) => e("tr", { class: quiet(v) ? "quiet" : null },
      e("td", {}, v.ops.length ? link(v.label, () => app.showOp("before", v.ops[0])) : v.label, e("br"), e("small", {}, v.type)),
      e("td", {}, v.plan.kernel !== undefined ? `k${v.plan.kernel}` : ""),
      e("td", {}, v.plan.scheme ? schemeTag(v.plan.scheme, v.plan.role) : ""),
      e("td", { class: "why" }, v.plan.reason || "")));
    return e("table", { class: "values" }, e("thead", {}, e("tr", {}, ["value", "at", "scheme", "why"].map((t) => e("th", {}, t)))), e("tbody", {}, rows));
  }

  function timeOf(data, kernel) {
    const found = Format.timing(data, kernel);
    return found ? `, ${Format.seconds(found)}` : "";
  }

  function op(app, side, found) {
    const { data } = app;
    const value = side === "before" ? valuesOf(data).get(found.id) : null;
    const kernelIndex = side === "after"
      ? data.kernels.findIndex((k) => k.op === found.id)
      : data.kernels.findIndex((k) => k.symbol && k.region === null && k.replaces.includes(found.id));
    const remarks = data.remarks.filter((r) => (side === "before" ? [found.id] : found.origin).some((n) => r.ops.includes(n)));
    return [
      e("h2", {}, found.label, e("small", {}, ` ${found.name}`)),
      pairs([
        ["result", found.type],
        ["takes", found.takes.join(", ")],
        ["reads", found.read ? Format.bytes(found.read) : ""],
        ["writes", found.written ? Format.bytes(found.written) : ""],
        ["function", `@${found.function}`],
        ["in the model", found.location],
        ["region", found.region !== null ? link(`r${found.region}`, () => app.showRegion(found.region)) : null],
        ["kernel", kernelIndex >= 0 ? link(data.kernels[kernelIndex].symbol || "compiled by IREE", () => app.showKernel(kernelIndex)) : null],
      ]),
      value && value.value.plan.scheme ? [
        e("h3", {}, "In the plan"),
        e("p", {}, schemeTag(value.value.plan.scheme, value.value.plan.role), " ", value.value.plan.reason || ""),
        pairs(planRows(value.value.plan, ["scheme", "role", "reason"])),
      ] : null,
      remarks.map((r) => e("p", { class: "warn" }, `${r.message} (${r.pass_name})`)),
      side === "after" && found.origin.length ? origins(app, found.origin) : null,
    ];
  }

  function origins(app, ids) {
    const known = ids.filter((n) => n < app.data.before.ops.length);
    return [e("h3", {}, "Stems from"), e("p", {}, known.flatMap((n) => [link(app.data.before.ops[n].label, () => app.showOp("before", n)), " "]))];
  }

  function kernel(app, index) {
    const { data } = app;
    const k = data.kernels[index];
    const time = Format.timing(data, k);
    return [
      e("h2", {}, k.symbol || data.after.ops[k.op].label, e("small", {}, k.symbol ? ` ${k.family}` : " compiled by IREE")),
      pairs([
        ["reads", Format.bytes(k.read)],
        ["writes", Format.bytes(k.written)],
        ["time", time ? `${Format.seconds(time)}, ${((k.read + k.written) / time / 1e9).toFixed(1)} GB/s` : ""],
        ["region", k.region !== null ? link(`r${k.region}`, () => app.showRegion(k.region)) : null],
        ["in the graph", link("show", () => app.showOp("after", k.op))],
      ]),
      Object.keys(k.plan).length ? [e("h3", {}, "Plan"), pairs(planRows(k.plan))] : null,
      k.reasons.map((reason) => e("p", {}, reason)),
      k.replaces.length ? [
        e("h3", {}, `Takes the place of ${k.replaces.length} op${k.replaces.length === 1 ? "" : "s"}`),
        e("ul", {}, k.replaces.map((n) => e("li", {}, link(data.before.ops[n].label, () => app.showOp("before", n)), e("small", {}, ` ${data.before.ops[n].type}`)))),
      ] : null,
      k.region !== null ? [e("hr"), region(app, k.region)] : null,
    ];
  }

  // A table whose columns sort: columns are [title, (row) => sort key, (row) => cell].
  function sortable(columns, rows, activate) {
    const body = e("tbody");
    let by = null, up = false;
    const fill = () => {
      const sorted = rows.slice();
      if (by !== null) sorted.sort((a, b) => order(columns[by][1](a), columns[by][1](b)) * (up ? 1 : -1));
      body.replaceChildren(...sorted.map((row) => {
        const made = e("tr", { tabindex: 0, onclick: () => activate(row), onkeydown: (event) => event.key === "Enter" && activate(row) },
          columns.map(([, key, cell]) => e("td", { class: typeof key(row) === "number" ? "number" : null }, cell(row))));
        return made;
      }));
    };
    const heads = columns.map(([title], k) => e("th", {}, link(title, () => {
      up = by === k ? !up : false;
      by = k;
      fill();
    }, "sort")));
    fill();
    return e("table", { class: "list" }, e("thead", {}, e("tr", {}, heads)), body);
  }

  function order(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : String(b).localeCompare(String(a));
  }

  function regions(app) {
    const { data } = app;
    if (!data.regions.length) return [e("p", {}, "This pipeline formed no stitched regions.")];
    const first = data.regions.filter((r) => r.like === r.id);
    const alike = (r) => data.regions.filter((o) => o.like === r.id).length;
    const columns = [
      ["region", (r) => r.id, (r) => `r${r.id}`],
      ["alike", alike, (r) => (alike(r) > 1 ? `${alike(r)} ×` : "")],
      ["form", (r) => r.form, (r) => r.form],
      ["ops", (r) => r.kernels_before, (r) => r.kernels_before],
      ["kernels", (r) => r.kernels_after, (r) => r.kernels_after],
      ["before", (r) => r.bytes_before, (r) => Format.bytes(r.bytes_before)],
      ["after", (r) => r.bytes_after, (r) => Format.bytes(r.bytes_after)],
    ];
    return [sortable(columns, first, (r) => app.showRegion(r.id))];
  }

  function kernels(app) {
    const { data } = app;
    const labelOf = (k) => {
      if (!k.symbol) return data.after.ops[k.op].label;
      const main = k.replaces.map((n) => data.before.ops[n]).find((o) => o.kind === "compute");
      return k.region !== null ? `r${k.region}` : main ? main.label : "";
    };
    const columns = [
      ["kernel", (k) => k.symbol || "~", (k) => [
        e("span", { class: k.symbol ? "symbol" : "symbol dim" }, k.symbol || "by IREE"),
        e("small", { class: "role" }, Format.shorten(labelOf(k), 34)),
      ]],
      ["ops", (k) => k.replaces.length, (k) => k.replaces.length],
      ["reads", (k) => k.read, (k) => Format.bytes(k.read)],
      ["writes", (k) => k.written, (k) => Format.bytes(k.written)],
    ];
    if (data.measured) {
      columns.push(["time", (k) => Format.timing(data, k) || 0, (k) => (Format.timing(data, k) ? Format.seconds(Format.timing(data, k)) : "")]);
      columns.push(["GB/s", (k) => (Format.timing(data, k) ? (k.read + k.written) / Format.timing(data, k) : 0),
        (k) => (Format.timing(data, k) ? ((k.read + k.written) / Format.timing(data, k) / 1e9).toFixed(1) : "")]);
    }
    return [sortable(columns, data.kernels, (k) => app.showKernel(data.kernels.indexOf(k)))];
  }

  function left(app) {
    const { data } = app;
    const remarks = data.remarks.map((r) => {
      const links = r.ops.filter((n) => data.before.ops[n]).map((n) => link(data.before.ops[n].label, () => app.showOp("before", n)));
      const more = links.length > 6 ? ` and ${links.length - 6} more` : "";
      return e("li", {}, links.slice(0, 6).flatMap((one, i) => (i ? [", ", one] : [one])), more, links.length ? ": " : "",
        r.message, e("small", {}, ` ${r.pass_name}`));
    });
    const iree = data.left_to_iree.map((n) => data.after.ops[n]);
    return [
      remarks.length ? e("h3", {}, "What the passes remarked") : null,
      remarks.length ? e("ul", {}, remarks) : null,
      e("h3", {}, `${iree.length} ops compiled by IREE`),
      e("ul", {}, iree.map((o) => e("li", {}, link(o.label, () => app.showOp("after", o.id)), e("small", {}, ` ${o.type}, ${Format.bytes(o.read + o.written)}`)))),
    ];
  }

  function measured(app) {
    const { data } = app;
    const m = data.measured;
    const total = (rows) => rows.reduce((sum, t) => sum + t.seconds, 0);
    const longest = Math.max(...[...m.before, ...m.after].map((t) => t.seconds), 1e-12);
    const table = (rows) => e("table", { class: "list" }, e("tbody", {}, rows.map((t) => e("tr", {},
      e("td", { class: "number" }, Format.seconds(t.seconds)),
      e("td", { class: "number" }, `${t.launches} ×`),
      e("td", { class: "bar" }, e("span", { style: `width:${((100 * t.seconds) / longest).toFixed(1)}%` }), e("em", {}, t.name))))));
    return [
      e("p", {}, `Mean of ${m.calls} calls on ${m.device}, kernel times as IREE's profiler records them.`),
      e("h3", {}, `FSA's kernels: ${Format.seconds(total(m.after))}`), table(m.after),
      e("h3", {}, `Portable lowering: ${Format.seconds(total(m.before))}`), table(m.before),
    ];
  }

  return { region, op, kernel, regions, kernels, left, measured, schemeOf };
})();
