"""Reads the tables of docs/parity.md.

A table under a heading `### graflow.module` has three columns: Python names, a word, and the Rust names with a
sentence. In the first column `.member` means a member of the class before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SPAN = re.compile(r"`([^`]+)`")
MODULE = re.compile(r"### `(graflow[\w.]*)`")
WORDS = ("same", "different", "absent")


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    line: int
    module: str
    python: tuple[str, ...]
    word: str
    rust: tuple[str, ...]


def read_page(path: Path) -> tuple[list[Row], dict[str, int]]:
    """The rows, and the modules that have a heading, each with its line."""
    rows: list[Row] = []
    modules: dict[str, int] = {}
    module = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            found = MODULE.fullmatch(line)
            module = found[1] if found else ""
            if module:
                modules[module] = number
        elif module and line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) == 3 and SPAN.search(cells[0]):
                rust = tuple(SPAN.findall(cells[2])) if cells[1] != "absent" else ()
                rows.append(Row(number, module, tuple(qualified(SPAN.findall(cells[0]))), cells[1], rust))
    return rows, modules


def read_prose(path: Path) -> list[tuple[int, str]]:
    """What stands between backquotes outside of these tables, each with its line."""
    spans: list[tuple[int, str]] = []
    in_module = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            in_module = MODULE.fullmatch(line) is not None
        if not (in_module and line.startswith("|")):
            spans.extend((number, span) for span in SPAN.findall(line))
    return spans


def qualified(spans: list[str]) -> list[str]:
    """`["A(x)", ".b()"]` as `["A(x)", "A.b()"]`."""
    names: list[str] = []
    owner = ""
    for span in spans:
        if span.startswith("."):
            names.append(owner + span)
        else:
            owner = re.split(r"[.(]", span)[0]
            names.append(span)
    return names
