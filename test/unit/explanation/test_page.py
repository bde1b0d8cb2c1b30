"""The page is one well-formed file that loads nothing."""

import json
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest

from fsa.explanation.data import RULE, Cost, Explanation, Graph, Op, Region
from fsa.explanation.html import page

VOID = {"meta", "link", "input", "br"}


class Reader(HTMLParser):
    """Checks that elements nest, and keeps attributes and the text of scripts."""

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.scripts = [], [], {}

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open
        assert self.open[-1][0] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1][0] == "script":
            key = self.open[-1][1].get("id", "code")
            self.scripts[key] = self.scripts.get(key, "") + data


def explanation(label="add") -> Explanation:
    ops = (
        Op(0, "input", "argument 0", "input", "4xf32"),
        Op(1, "linalg.generic", label, "memory", "4xf32", ("4xf32",), 16, 16, (1,)),
        Op(2, "output", "result 0", "output", "4xf32"),
    )
    graph = Graph(ops, ((0, 1, "4xf32"), (1, 2, "4xf32")))
    cost = Cost(1, 32, 1, 32)
    return Explanation(
        "model", "cpu", "fsa-to-cpu", RULE, graph, graph, (), (), (), cost, cost, (1,)
    )


def read(text) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def test_the_page_is_well_formed_and_holds_the_data():
    found = explanation()
    reader = read(page(found))
    assert json.loads(reader.scripts["data"]) == json.loads(json.dumps(found.data()))


def test_nothing_is_loaded():
    text = page(explanation())
    for tag, name, value in read(text).attributes:
        assert name not in ("src", "srcset", "action"), (tag, name, value)
        assert name != "href" or value == "data:,", (tag, name, value)
    rest = text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address to load from
    for word in ("http://", "https://", "@import", "url(", "fetch(", "XMLHttpRequest", "import("):
        assert word not in rest


def test_text_of_the_model_stays_text():
    hostile = "</script><script>alert(1)</script><!--"
    reader = read(page(explanation(hostile)))
    assert json.loads(reader.scripts["data"])["before"]["ops"][1]["label"] == hostile


NODE = shutil.which("node")
DRAW = """
const Layout = require(process.argv[1]);
const nodes = [], edges = [];
for (let k = 0; k < 1500; k++) nodes.push({ id: k, w: 60 + (k % 7) * 20, h: 30 });
for (let k = 1; k < 1500; k++) {
  edges.push({ source: k - 1 - ((k * 7) % Math.min(k, 5)), target: k });
  if (k > 40 && k % 9 === 0) edges.push({ source: k - 37, target: k });
}
edges.push({ source: 1400, target: 3 });
const found = Layout.layered(nodes, edges);
console.log(JSON.stringify({ nodes: [...found.nodes.values()], edges: found.edges.length,
  width: found.width, height: found.height }));
"""


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_the_drawing_has_no_boxes_on_one_another():
    with resources.as_file(resources.files("fsa.explanation") / "page" / "layout.js") as script:
        done = subprocess.run(
            [NODE, "-e", DRAW, str(script)], capture_output=True, text=True, timeout=60, check=True
        )
    found = json.loads(done.stdout)
    assert len(found["nodes"]) == 1500
    rows = {}
    for box in found["nodes"]:
        assert box["x"] >= 0
        assert box["x"] + box["w"] <= found["width"] + 1e-6
        rows.setdefault(box["layer"], []).append(box)
    for row in rows.values():
        row.sort(key=lambda box: box["x"])
        for left, right in pairwise(row):
            assert left["x"] + left["w"] <= right["x"]
    bottoms = [max(box["y"] + box["h"] for box in rows[k]) for k in sorted(rows)]
    tops = [min(box["y"] for box in rows[k]) for k in sorted(rows)]
    assert all(bottom < top for bottom, top in zip(bottoms, tops[1:], strict=False))


@pytest.mark.skipif(NODE is None, reason="needs node")
@pytest.mark.parametrize(
    "name", ["format.js", "layout.js", "clusters.js", "panel.js", "view.js", "main.js"]
)
def test_scripts_parse(name, tmp_path):
    path = tmp_path / name
    path.write_text((resources.files("fsa.explanation") / "page" / name).read_text())
    subprocess.run([NODE, "--check", str(path)], check=True, timeout=60)


ARRANGE = """
const fs = require("fs");
globalThis.Format = eval(fs.readFileSync(process.argv[1] + "/format.js", "utf8") + "; Format");
globalThis.Layout = require(process.argv[1] + "/layout.js");
const Clusters = require(process.argv[1] + "/clusters.js");
const data = JSON.parse(fs.readFileSync(0, "utf8"));
const clusters = Clusters.of(data, "before");
const found = Clusters.arrange(data, "before", clusters, new Set(clusters.keys()));
console.log(JSON.stringify(found.boxes.map(({ key, x, y, w, h }) => ({ key, x, y, w, h }))));
"""


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_ops_lie_inside_their_region():
    ops = [
        Op(0, "input", "argument 0", "input", "4xf32"),
        *(Op(k, "linalg.generic", "exp", "memory", "4xf32", region=0) for k in (1, 2)),
        Op(3, "output", "result 0", "output", "4xf32"),
    ]
    edges = tuple((k, k + 1, "4xf32") for k in range(3))
    region = Region(0, "main", "kernels", "", {}, {}, (), (1, 2), 0, 2, 1, 64, 32, "")
    found = replace(explanation(), before=Graph(tuple(ops), edges), regions=(region,))
    with resources.as_file(resources.files("fsa.explanation") / "page") as folder:
        done = subprocess.run(
            [NODE, "-e", ARRANGE, str(folder)],
            input=json.dumps(found.data()), capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    boxes = {box["key"]: box for box in json.loads(done.stdout)}
    assert set(boxes) == {"o0", "r0", "o1", "o2", "o3"}
    outer = boxes["r0"]
    for key in ("o1", "o2"):
        inner = boxes[key]
        assert outer["x"] <= inner["x"]
        assert outer["y"] < inner["y"]
        assert inner["x"] + inner["w"] <= outer["x"] + outer["w"]
        assert inner["y"] + inner["h"] <= outer["y"] + outer["h"]
