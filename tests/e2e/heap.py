"""What the heap of a page holds, from V8's snapshots.

The sum of the heap is no measure of what a page keeps: it includes the machine code that V8 compiles and the entries of
Chromium's performance timeline, which increase for minutes after a page has begun. Objects of scripts and of the
browser are counted apart.
"""

import json
from collections import Counter
from dataclasses import dataclass

# Of scripts: V8's other types are compiled code, shapes of objects, and objects of the browser.
SCRIPT_TYPES = frozenset(
    {
        *("object", "closure", "array", "number", "symbol", "bigint", "regexp"),
        *("string", "concatenated string", "sliced string"),
    }
)


@dataclass(frozen=True)
class Held:
    """What is reachable in a page."""

    script_bytes: int
    "Size of all that scripts hold."
    objects: Counter[str]
    "Number of objects by class."


async def held(devtools):
    """What a page holds after a garbage collection."""
    for _ in range(3):
        await devtools.send("HeapProfiler.collectGarbage")
    chunks = []

    def keep(event):
        chunks.append(event["chunk"])

    devtools.on("HeapProfiler.addHeapSnapshotChunk", keep)
    await devtools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    devtools.remove_listener("HeapProfiler.addHeapSnapshotChunk", keep)
    return read(json.loads("".join(chunks)))


def read(snapshot):
    """What a snapshot says is held."""
    meta = snapshot["snapshot"]["meta"]
    fields, types = meta["node_fields"], meta["node_types"][0]
    nodes, strings = snapshot["nodes"], snapshot["strings"]
    columns = {name: nodes[fields.index(name) :: len(fields)] for name in ("type", "name", "self_size")}
    script_bytes, objects = 0, Counter()
    for kind, name, size in zip(columns["type"], columns["name"], columns["self_size"], strict=True):
        if types[kind] in SCRIPT_TYPES:
            script_bytes += size
        if types[kind] in {"object", "native"}:
            objects[strings[name].partition(" ")[0]] += 1
    return Held(script_bytes, objects)
