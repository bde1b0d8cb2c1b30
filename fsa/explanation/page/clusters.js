// What stands together in the drawing: the ops of a stitched region, and those of another kernel.
"use strict";

const Clusters = (() => {
  const CHAR = 6.6, BOLD = 7.8;

  // Return Map(cluster id -> {id, region, kernel, ops}) for a side, "before" or "after".
  function of(data, side) {
    const found = new Map();
    const graph = data[side];
    const add = (id, entry, op) => {
      if (!found.has(id)) found.set(id, { id, ops: [], ...entry });
      found.get(id).ops.push(op);
    };
    const kernelOf = new Map();
    if (side === "before")
      data.kernels.forEach((kernel, k) => {
        if (kernel.symbol && kernel.region === null) for (const op of kernel.replaces) kernelOf.set(op, k);
      });
    for (const op of graph.ops) {
      if (op.region !== null) add(`r${op.region}`, { region: op.region }, op.id);
      else if (kernelOf.has(op.id)) add(`k${kernelOf.get(op.id)}`, { kernel: kernelOf.get(op.id) }, op.id);
    }
    for (const [id, cluster] of found) if (cluster.ops.length < 2) found.delete(id);
    return found;
  }

  // Size and lines of text of an op's box; `time` is what a launch of it takes, in words.
  function box(op, time) {
    if (op.kind === "input" || op.kind === "output") {
      const text = `${op.label}: ${op.type}`;
      return { w: clamp(text.length * CHAR + 24, 90, 260), h: 24, lines: [text] };
    }
    if (op.kind === "view" || op.kind === "host")
      return { w: clamp(op.label.length * CHAR + 20, 60, 200), h: 20, lines: [op.label] };
    const label = Format.shorten(op.label, 34);
    const type = Format.shorten(op.type, time ? 24 : 34) + (time ? ` · ${time}` : "");
    // Room on both sides for the dot of the scheme.
    return { w: clamp(Math.max(label.length, type.length) * CHAR + 38, 96, 264), h: 40, lines: [label, type] };
  }

  // Size and lines of a cluster that is closed.
  function closedBox(data, cluster, side) {
    let lines;
    if (cluster.region !== undefined) {
      const region = data.regions[cluster.region];
      lines = [
        `r${region.id}: ${region.kernels_before} ops → ${region.kernels_after} kernel${region.kernels_after === 1 ? "" : "s"}`,
        `${Format.bytes(region.bytes_before)} → ${Format.bytes(region.bytes_after)}`,
      ];
      if (region.form && region.form !== "kernels") lines[1] = region.form;
    } else {
      const kernel = data.kernels[cluster.kernel];
      const main = kernel.replaces.map((n) => data.before.ops[n]).find((op) => op.kind === "compute");
      lines = [Format.shorten(main ? main.label : kernel.family, 34), `+ ${cluster.ops.length - 1} op${cluster.ops.length === 2 ? "" : "s"}: ${kernel.family}`];
    }
    const longest = Math.max(...lines.map((l) => l.length));
    return { w: clamp(longest * CHAR + 40, 120, 280), h: 44, lines };
  }

  function clamp(value, least, most) {
    return Math.max(least, Math.min(most, value));
  }

  const PAD = 14, TITLE = 22;

  // Lay a side out with the clusters in `open` opened. Return {width, height, boxes, edges}: boxes
  // have {key, x, y, w, h, lines, op | cluster, open}, outer before inner; edges have {path,
  // source, target, far} between keys.
  function arrange(data, side, clusters, open) {
    const graph = data[side];
    const times = new Map();
    if (side === "after" && data.measured)
      for (const kernel of data.kernels) {
        const time = Format.timing(data, kernel);
        if (time) times.set(kernel.op, Format.seconds(time));
      }
    const boxOf = (op) => box(op, times.get(op.id));
    const home = new Map();
    for (const cluster of clusters.values()) for (const op of cluster.ops) home.set(op, cluster);
    const inner = new Map();
    for (const cluster of clusters.values()) {
      if (!open.has(cluster.id)) continue;
      const members = new Set(cluster.ops);
      const nodes = cluster.ops.map((n) => ({ id: n, ...boxOf(graph.ops[n]) }));
      const edges = graph.edges.filter(([s, t]) => members.has(s) && members.has(t)).map(([s, t]) => ({ source: s, target: t }));
      inner.set(cluster.id, Layout.layered(nodes, edges));
    }
    const outerOf = (n) => (home.has(n) ? home.get(n).id : n);
    const nodes = [];
    const placed = new Set();
    for (const op of graph.ops) {
      const id = outerOf(op.id);
      if (placed.has(id)) continue;
      placed.add(id);
      if (id === op.id) nodes.push({ id, ...boxOf(op) });
      else if (inner.has(id)) {
        const size = inner.get(id);
        const { lines } = closedBox(data, clusters.get(id), side);
        const title = (lines.join("   ").length + 2) * BOLD;
        nodes.push({ id, w: Math.max(size.width, title) + 2 * PAD, h: size.height + 2 * PAD + TITLE });
      } else nodes.push({ id, ...closedBox(data, clusters.get(id), side) });
    }
    const edges = graph.edges.map(([s, t]) => ({ source: outerOf(s), target: outerOf(t) }));
    const outer = Layout.layered(nodes, edges);
    const boxes = [], routes = [];
    const key = (id) => (typeof id === "string" ? id : `o${id}`);
    for (const node of nodes) {
      const at = outer.nodes.get(node.id);
      if (typeof node.id !== "string") {
        boxes.push({ key: key(node.id), ...at, lines: node.lines, op: graph.ops[node.id] });
        continue;
      }
      const cluster = clusters.get(node.id);
      const inside = inner.get(node.id);
      boxes.push({ key: node.id, ...at, lines: node.lines || closedBox(data, cluster, side).lines, cluster, open: Boolean(inside) });
      if (!inside) continue;
      const dx = at.x + (at.w - inside.width) / 2, dy = at.y + PAD + TITLE;
      for (const n of cluster.ops) {
        const p = inside.nodes.get(n);
        boxes.push({ key: key(n), x: p.x + dx, y: p.y + dy, w: p.w, h: p.h, lines: boxOf(graph.ops[n]).lines, op: graph.ops[n] });
      }
      for (const e of inside.edges)
        routes.push({ source: key(e.source), target: key(e.target), path: Layout.path(e.points.map(([x, y]) => [x + dx, y + dy])) });
    }
    for (const e of outer.edges)
      routes.push({ source: key(e.source), target: key(e.target), path: Layout.path(e.points), far: e.far });
    return { width: outer.width, height: outer.height, boxes, edges: routes };
  }

  return { of, arrange };
})();

if (typeof module !== "undefined") module.exports = Clusters;
