"""What is wrong with the page: names that it lacks, and names on it that are not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from page import WORDS, Row
from rust_names import Rust


def python_faults(python: dict[str, set[str]], rows: list[Row], modules: dict[str, int]) -> Iterator[str]:
    """What graflow has and the page has not, and the other way round."""
    told = Counter((row.module, name) for row in rows for name in row.python)
    for module, names in python.items():
        if module not in modules:
            yield f": has no heading for the module `{module}`"
        yield from (f": lacks `{name}` of {module}" for name in sorted(names) if (module, name) not in told)
    for module, line in modules.items():
        if module not in python:
            yield f":{line}: `{module}` is no module with public names"
    for row in rows:
        for name in row.python:
            if name not in python.get(row.module, ()):
                yield f":{row.line}: `{name}` is no public name of {row.module}"
            elif told[row.module, name] > 1:
                yield f":{row.line}: `{name}` of {row.module} is told twice"
        if row.word not in WORDS:
            yield f":{row.line}: `{row.word}` is none of {', '.join(WORDS)}"


def rust_faults(rust: Rust, rows: list[Row]) -> Iterator[str]:
    """Rust names that are not there, and rows that should name something in Rust and do not."""
    for row in rows:
        if row.word != "absent" and not row.rust:
            yield f":{row.line}: says `{row.word}` and names nothing in Rust"
        for span in row.rust:
            if fault := rust_fault(rust, span):
                yield f":{row.line}: {fault}"


def prose_faults(rust: Rust, spans: list[tuple[int, str]]) -> Iterator[str]:
    """Rust names in the text around the tables: what can be nothing else."""
    for line, span in spans:
        if re.match(r"#\[|graflow lineage |[A-Z]\w*::|\.\w+\(", span) and (fault := rust_fault(rust, span)):
            yield f":{line}: {fault}"


def rust_fault(rust: Rust, span: str) -> str | None:
    """What is wrong with `Type::method(…)`, `.method(…)`, `#[task(option = …)]`, a command or an operator."""
    if attribute := re.fullmatch(r"#\[task(?:\((\w+).*\))?\]", span):
        option = attribute[1]
        return f"`#[task]` has no option `{option}`" if option and option not in rust.options else None
    if command := re.fullmatch(r"graflow lineage (\w+)", span):
        return None if command[1] in rust.commands else f"there is no command `{command[1]}`"
    if span.startswith("#[iteration]") or span in (">>", "\\|"):
        return None
    name = re.split(r"[(<{]", span, maxsplit=1)[0]
    if name.startswith("."):
        return None if name[1:] in rust.methods else f"there is no method `{name[1:]}`"
    return None if name in rust.names else f"there is no `{name}` in Rust"
