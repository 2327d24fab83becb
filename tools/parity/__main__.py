"""Checks docs/parity.md: it has every public name of graflow for Python, and the Rust names in it exist.

Run it as `python tools/parity`, with the Python that graflow 0.2.0 is installed for; `--list` shows the names.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from faults import prose_faults, python_faults, rust_faults
from page import WORDS, read_page, read_prose
from python_names import read_package
from rust_names import read_rust

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "parity.md"
CRATES = ("graflow", "graflow-macros", "graflow-model", "graflow-cli")


def main() -> int:
    parser = argparse.ArgumentParser(prog="parity", description=__doc__)
    parser.add_argument("--list", action="store_true", help="show the public names of graflow for Python, and stop")
    arguments = parser.parse_args()
    package = find_spec("graflow")
    if package is None or not package.submodule_search_locations:
        print("error: graflow is not installed for this Python\nhint: pip install --no-deps graflow==0.2.0")
        return 2
    python = read_package(Path(package.submodule_search_locations[0]))
    if arguments.list:
        for module, names in python.items():
            print(f"{module}\n" + "".join(f"    {name}\n" for name in sorted(names)))
        return 0
    rows, modules = read_page(PAGE)
    rust = read_rust([ROOT / "crates" / crate / "src" for crate in CRATES])
    faults = [*python_faults(python, rows, modules), *rust_faults(rust, rows), *prose_faults(rust, read_prose(PAGE))]
    for fault in faults:
        print(f"error: {PAGE.relative_to(ROOT)}{fault}")
    words = Counter(word for row in rows for word in [row.word] * len(row.python))
    shown = ", ".join(f"{words[word]} {word}" for word in WORDS)
    print(f"{sum(map(len, python.values()))} names in {len(python)} modules: {shown}; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
