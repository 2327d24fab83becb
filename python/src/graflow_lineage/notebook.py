"""The last run's graph, drawn where a notebook shows it."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["Drawing", "show"]

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 150, 36, 60, 16
_COLOURS = {
    "completed": "#2e7d32",
    "running": "#1565c0",
    "failed": "#c62828",
    "cancelled": "#6d4c41",
    "skipped": "#757575",
    "waiting": "#ef6c00",
    "pending": "#9e9e9e",
}
_SIGNS = {"completed": "✓", "running": "…", "failed": "✗", "cancelled": "⊘", "skipped": "-", "waiting": "?"}


class Drawing:
    """A graph as SVG; notebooks show it by themselves."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.svg)} characters of SVG>"


def show(execution_id: str | None = None) -> Drawing:
    """Draws a run: that of the id, by what the server knows, or else the last one of this process.

    :raises graflow_lineage.client.LineageError: when a run is named and no server can be asked.
    """
    if execution_id is not None:
        from graflow_lineage.client import Client

        graph = Client().graph(execution_id)
    else:
        from graflow_lineage.manager import get_lineage_manager

        graph = get_lineage_manager().get_graph_snapshot()
    return Drawing(draw(graph["nodes"], graph["edges"]))


def draw(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> str:
    """Tasks in columns, each right of everything that leads to it; what leads back is drawn dashed."""
    columns = _columns([node["id"] for node in nodes], [(edge["source"], edge["target"]) for edge in edges])
    rows: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for node in nodes:
        column = columns[node["id"]]
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[node["id"]] = (10 + column * (_WIDTH + _GAP_X), 10 + row * (_HEIGHT + _GAP_Y))
    width = 20 + (max(columns.values(), default=0) + 1) * (_WIDTH + _GAP_X) - _GAP_X
    height = 20 + max(rows.values(), default=1) * (_HEIGHT + _GAP_Y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">'
    ]
    for edge in edges:
        if edge["source"] in places and edge["target"] in places:
            parts.append(_line(places[edge["source"]], places[edge["target"]]))
    for node in nodes:
        parts.append(_box(node, *places[node["id"]]))
    return "".join([*parts, "</svg>"])


def _columns(nodes: list[str], edges: list[tuple[str, str]]) -> dict[str, int]:
    columns = dict.fromkeys(nodes, 0)
    forward: dict[str, list[str]] = {node: [] for node in nodes}
    order = {node: at for at, node in enumerate(nodes)}
    incoming = dict.fromkeys(nodes, 0)
    for source, target in edges:
        if source in order and target in order and source != target:
            forward[source].append(target)
            incoming[target] += 1
    waiting = [node for node in nodes if incoming[node] == 0]
    placed: set[str] = set()
    while len(placed) < len(nodes):
        if not waiting:
            # Only loops are left: the first declared one breaks them.
            waiting = [next(node for node in nodes if node not in placed)]
        node = waiting.pop(0)
        if node in placed:
            continue
        placed.add(node)
        for target in forward[node]:
            if target not in placed:
                columns[target] = max(columns[target], columns[node] + 1)
                incoming[target] -= 1
                if incoming[target] == 0:
                    waiting.append(target)
    return columns


def _line(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + _WIDTH, source[1] + _HEIGHT // 2
    x2, y2 = target[0], target[1] + _HEIGHT // 2
    if x2 > x1:
        bend = (x2 - x1) // 2
        return f'<path d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" fill="none" stroke="#777"/>'
    below = max(y1, y2) + _HEIGHT
    return (
        f'<path d="M{x1} {y1} C{x1 + 30} {below} {x2 - 30} {below} {x2} {y2}" '
        'fill="none" stroke="#777" stroke-dasharray="4 3"/>'
    )


def _box(node: dict[str, Any], x: int, y: int) -> str:
    status = str(node["data"].get("status", "pending"))
    colour = _COLOURS.get(status, "#9e9e9e")
    name = str(node["id"])
    shown = name if len(name) <= 18 else name[:17] + "…"
    return (
        f"<g><title>{escape(name)}: {escape(status)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="#fff" stroke="{colour}" '
        f'stroke-width="2"/><text x="{x + 10}" y="{y + 22}" fill="#222">{escape(_SIGNS.get(status, "·"))} '
        f"{escape(shown)}</text></g>"
    )
