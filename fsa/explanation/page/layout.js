// A layered drawing of a directed graph (after Sugiyama, Tagawa and Toda, 1981): layers by longest
// paths, fewer crossings by medians, and x by isotonic regression toward the neighbours.
"use strict";

const Layout = (() => {
  const GAP_X = 22;
  const GAP_Y = 34;
  const DUMMY_WIDTH = 10;
  const ORDER_SWEEPS = 10;
  const PLACE_SWEEPS = 14;
  const LONGEST = 16; // an edge over more layers is no line in the drawing: it would cross all of it

  // Take nodes [{id, w, h}] and edges [{source, target}]; return {width, height, nodes: Map(id ->
  // {x, y, w, h, layer, order}), edges: [{source, target, points, far}]} with x, y the upper left
  // corner; a `far` edge spans too many layers to be drawn among the others.
  function layered(nodes, edges) {
    if (!nodes.length) return { width: 0, height: 0, nodes: new Map(), edges: [] };
    const graph = acyclic(nodes, edges);
    assignLayers(graph);
    addDummies(graph);
    orderLayers(graph);
    placeX(graph);
    placeY(graph);
    return result(graph, edges);
  }

  // Index the nodes; leave out edges that repeat, and those that would close a cycle.
  function acyclic(nodes, edges) {
    const items = nodes.map((n) => ({ id: n.id, w: n.w, h: n.h, up: [], down: [], dummy: false }));
    const byId = new Map(items.map((n) => [n.id, n]));
    const next = new Map(items.map((n) => [n, []]));
    const seen = new Set();
    for (const e of edges) {
      const key = e.source + " " + e.target;
      const s = byId.get(e.source), t = byId.get(e.target);
      if (!s || !t || s === t || seen.has(key)) continue;
      seen.add(key);
      next.get(s).push(t);
    }
    const state = new Map();
    const order = [];
    for (const root of items) {
      if (state.get(root)) continue;
      const stack = [[root, 0]];
      state.set(root, 1);
      while (stack.length) {
        const top = stack[stack.length - 1];
        const [node, at] = top;
        const targets = next.get(node);
        if (at === targets.length) {
          state.set(node, 2);
          order.push(node);
          stack.pop();
          continue;
        }
        top[1]++;
        const t = targets[at];
        if (state.get(t) === 1) continue; // it would close a cycle
        node.down.push(t);
        t.up.push(node);
        if (!state.get(t)) {
          state.set(t, 1);
          stack.push([t, 0]);
        }
      }
    }
    order.reverse();
    return { items, byId, order };
  }

  // Longest path from the sources; what has slack stands next to its users.
  function assignLayers(graph) {
    for (const n of graph.order) n.layer = n.up.reduce((m, u) => Math.max(m, u.layer + 1), 0);
    for (let k = graph.order.length - 1; k >= 0; k--) {
      const n = graph.order[k];
      if (!n.down.length) continue;
      const latest = n.down.reduce((m, d) => Math.min(m, d.layer - 1), Infinity);
      if (n.up.length < n.down.length || !n.up.length) n.layer = Math.max(n.layer, latest);
    }
  }

  // An edge over several layers goes through a dummy in each.
  function addDummies(graph) {
    const depth = Math.max(...graph.items.map((n) => n.layer)) + 1;
    graph.layers = Array.from({ length: depth }, () => []);
    graph.chains = new Map();
    graph.far = new Set();
    for (const n of graph.order) graph.layers[n.layer].push(n);
    for (const n of graph.order) {
      const down = n.down;
      n.down = [];
      for (const t of down) {
        if (t.layer - n.layer > LONGEST) {
          t.up.splice(t.up.indexOf(n), 1);
          graph.far.add(n.id + " " + t.id);
          continue;
        }
        let from = n;
        const chain = [];
        for (let layer = n.layer + 1; layer < t.layer; layer++) {
          const d = { dummy: true, w: DUMMY_WIDTH, h: 0, up: [from], down: [], layer };
          from.down.push(d);
          graph.layers[layer].push(d);
          chain.push(d);
          from = d;
        }
        from.down.push(t);
        if (chain.length) t.up[t.up.indexOf(n)] = from;
        graph.chains.set(n.id + " " + t.id, chain);
      }
    }
  }

  function orderLayers(graph) {
    const { layers } = graph;
    number(layers);
    let best = layers.map((l) => l.slice());
    let fewest = crossings(layers);
    for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
      const down = sweep % 2 === 0;
      const indices = layers.map((_, i) => i);
      if (!down) indices.reverse();
      for (const i of indices) {
        for (const n of layers[i]) n.key = middle(down ? n.up : n.down, n.order);
        layers[i].sort((a, b) => a.key - b.key || a.order - b.order);
        layers[i].forEach((n, k) => (n.order = k));
      }
      const found = crossings(layers);
      if (found < fewest) {
        fewest = found;
        best = layers.map((l) => l.slice());
      }
    }
    graph.layers = best;
    number(best);
  }

  function number(layers) {
    for (const layer of layers) layer.forEach((n, k) => (n.order = k));
  }

  function middle(neighbours, otherwise) {
    if (!neighbours.length) return otherwise;
    const at = neighbours.map((n) => n.order).sort((a, b) => a - b);
    const half = at.length >> 1;
    return at.length % 2 ? at[half] : (at[half - 1] + at[half]) / 2;
  }

  // Crossings between neighbouring layers, counted with a Fenwick tree.
  function crossings(layers) {
    let total = 0;
    for (let i = 0; i + 1 < layers.length; i++) {
      const tree = new Array(layers[i + 1].length + 1).fill(0);
      let inserted = 0;
      for (const n of layers[i]) {
        const targets = n.down.map((d) => d.order).sort((a, b) => a - b);
        for (const t of targets) {
          let below = 0;
          for (let k = t + 1; k > 0; k -= k & -k) below += tree[k];
          total += inserted - below;
        }
        for (const t of targets) {
          for (let k = t + 1; k < tree.length; k += k & -k) tree[k]++;
          inserted++;
        }
      }
    }
    return total;
  }

  function placeX(graph) {
    for (const layer of graph.layers) {
      let x = 0;
      for (const n of layer) {
        n.cx = x + n.w / 2;
        x += n.w + GAP_X;
      }
    }
    for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
      const down = sweep % 2 === 0;
      const layers = down ? graph.layers : graph.layers.slice().reverse();
      const last = sweep >= PLACE_SWEEPS - 2;
      for (const layer of layers) settle(layer, (n) => (last ? [...n.up, ...n.down] : down ? n.up : n.down));
    }
  }

  // Put the nodes of a layer as near to the mean of their neighbours as their order and widths
  // allow: least squares under x[k+1] - x[k] >= gap, by pooling adjacent violators.
  function settle(layer, neighbours) {
    const blocks = [];
    let offset = 0;
    layer.forEach((n, k) => {
      if (k) offset += (layer[k - 1].w + n.w) / 2 + GAP_X;
      n.offset = offset;
      const near = neighbours(n);
      let wanted = n.cx, weight = 0.05;
      if (near.length) {
        let sum = 0, total = 0;
        for (const m of near) {
          const w = n.dummy && m.dummy ? 8 : n.dummy || m.dummy ? 2 : 1;
          sum += w * m.cx;
          total += w;
        }
        wanted = sum / total;
        weight = total;
      }
      let block = { sum: weight * (wanted - offset), weight, count: 1 };
      while (blocks.length && blocks[blocks.length - 1].sum / blocks[blocks.length - 1].weight >= block.sum / block.weight) {
        const before = blocks.pop();
        block = { sum: before.sum + block.sum, weight: before.weight + block.weight, count: before.count + block.count };
      }
      blocks.push(block);
    });
    let k = 0;
    for (const block of blocks) {
      const at = block.sum / block.weight;
      for (let c = 0; c < block.count; c++, k++) layer[k].cx = at + layer[k].offset;
    }
  }

  function placeY(graph) {
    let y = 0;
    for (const layer of graph.layers) {
      const height = Math.max(...layer.map((n) => n.h));
      for (const n of layer) n.cy = y + height / 2;
      const fan = Math.max(...layer.map((n) => n.down.length));
      y += height + GAP_Y + Math.min(fan * 2, 24);
    }
  }

  function result(graph, edges) {
    const left = Math.min(...graph.layers.flat().map((n) => n.cx - n.w / 2));
    let width = 0, height = 0;
    const nodes = new Map();
    for (const n of graph.layers.flat()) {
      n.cx -= left;
      width = Math.max(width, n.cx + n.w / 2);
      height = Math.max(height, n.cy + n.h / 2);
      if (!n.dummy) nodes.set(n.id, { x: n.cx - n.w / 2, y: n.cy - n.h / 2, w: n.w, h: n.h, layer: n.layer, order: n.order });
    }
    const seen = new Set();
    const routes = [];
    for (const e of edges) {
      const key = e.source + " " + e.target;
      const s = graph.byId.get(e.source), t = graph.byId.get(e.target);
      if (!s || !t || s === t || seen.has(key)) continue;
      seen.add(key);
      const chain = graph.chains.get(key) || [];
      const points = [
        [s.cx, s.cy + s.h / 2],
        ...chain.map((d) => [d.cx, d.cy]),
        [t.cx, t.cy - t.h / 2],
      ];
      routes.push({ source: e.source, target: e.target, points, far: graph.far.has(key) });
    }
    return { width, height, nodes, edges: routes };
  }

  // A smooth path through the points of an edge: vertical at each of them.
  function path(points) {
    let text = `M${points[0][0].toFixed(1)},${points[0][1].toFixed(1)}`;
    for (let k = 1; k < points.length; k++) {
      const [x0, y0] = points[k - 1], [x1, y1] = points[k];
      if (Math.abs(x0 - x1) < 0.5) {
        text += `V${y1.toFixed(1)}`;
        continue;
      }
      const bend = Math.min(Math.abs(y1 - y0) / 2, 60);
      text += `C${x0.toFixed(1)},${(y0 + bend).toFixed(1)} ${x1.toFixed(1)},${(y1 - bend).toFixed(1)} ${x1.toFixed(1)},${y1.toFixed(1)}`;
    }
    return text;
  }

  return { layered, path };
})();

if (typeof module !== "undefined") module.exports = Layout;
