"""A page with a fault is found out. Run it as `python -m unittest discover tools/parity`."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from faults import prose_faults, python_faults, rust_faults
from page import read_page, read_prose
from python_names import read_package
from rust_names import read_rust

PYTHON = """
import logging
logger = logging.getLogger(__name__)
LIMIT: int = 3
class Base:
    def __init__(self, name, *, _secret=None):
        self.name = name
        self.steps = 0
        self._hidden = 1
    @property
    def first(self): ...
    def get(self, key, *rest, default=None, **more): ...
    def __rshift__(self, other): ...
    def _private(self): ...
class Derived(Base):
    def get(self, key, *rest, default=None, **more): ...
    def extra(self): ...
def make(a, b=1): ...
"""

RUST = {
    "lib.rs": """pub use inner::{Shown, hidden_elsewhere};
pub struct Run {
    pub tasks: u32,
    secret: u32,
}
impl<T> Run<T> {
    pub fn status(&self) {}
    fn own(&self) {}
}
impl Sink for Run {
    fn record(&self) {}
}
pub enum Kind {
    Panicked,
}
""",
    "options.rs": 'match key { "max_cycles" => {} }',
    "args.rs": "pub(crate) enum LineageCommand {\n    Show(Options),\n}\n",
}

PAGE = """# Parity
Prose: `Run::status`, `#[task(max_cycles = 8)]`, `whatever(x)`.
### `graflow.core`
| Python | | Rust |
|---|---|---|
| `Base(name)` `.steps` `.first` | same | `Run`, `Run::status` and `Run::tasks` |
| `Base.get(key, *rest, default, **more)` `Base.__rshift__(other)` | different | `>>`, `.status(…)` |
| `Derived` `.extra()` `make(a, b)` | absent | `whatever` |
| `LIMIT` | different | `#[task(max_cycles = 8)]`, `graflow lineage show`, `Kind::Panicked`, `Run::record` |
"""


class Parity(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "graflow").mkdir()
        (self.folder / "graflow" / "core.py").write_text(PYTHON)
        (self.folder / "src").mkdir()
        for name, text in RUST.items():
            (self.folder / "src" / name).write_text(text)

    def faults(self, page: str) -> list[str]:
        path = self.folder / "page.md"
        path.write_text(page)
        rows, modules = read_page(path)
        python, rust = read_package(self.folder / "graflow"), read_rust([self.folder / "src"])
        return [
            *python_faults(python, rows, modules),
            *rust_faults(rust, rows),
            *prose_faults(rust, read_prose(path)),
        ]

    def check(self, old: str, new: str, *expected: str) -> None:
        self.assertIn(old, PAGE)
        self.assertEqual(self.faults(PAGE.replace(old, new)), list(expected))

    def test_a_complete_page_has_no_fault(self) -> None:
        self.assertEqual(self.faults(PAGE), [])

    def test_python_names(self) -> None:
        self.check("`.first`", "", ": lacks `Base.first` of graflow.core")
        self.check("`LIMIT`", "`LIMIT` `LOGGER`", ":9: `LOGGER` is no public name of graflow.core")
        self.check(
            "`LIMIT`", "`LIMIT` `make(a, b)`", *[f":{n}: `make(a, b)` of graflow.core is told twice" for n in (8, 9)]
        )
        self.check(
            "make(a, b)",
            "make(a)",
            ": lacks `make(a, b)` of graflow.core",
            ":8: `make(a)` is no public name of graflow.core",
        )
        self.check("| same |", "| alike |", ":6: `alike` is none of same, different, absent")
        found = self.faults(PAGE.replace("graflow.core", "graflow.cor"))
        self.assertIn(": has no heading for the module `graflow.core`", found)
        self.assertIn(":3: `graflow.cor` is no module with public names", found)

    def test_rust_names(self) -> None:
        self.check("Run::status` and", "Run::state` and", ":6: there is no `Run::state` in Rust")
        self.check("`Run::tasks`", "`Run::secret`", ":6: there is no `Run::secret` in Rust")
        self.check("`Run::tasks`", "`Run::own`", ":6: there is no `Run::own` in Rust")
        self.check("`.status(…)`", "`.gone(…)`", ":7: there is no method `gone`")
        self.check("Panicked", "Calm", ":9: there is no `Kind::Calm` in Rust")
        self.check("lineage show", "lineage hide", ":9: there is no command `hide`")
        self.check("`#[task(max_cycles = 8)]`, `gr", "`#[task(cycles)]`, `gr", ":9: `#[task]` has no option `cycles`")
        self.check("`Run`, `Run::status` and `Run::tasks`", "nothing", ":6: says `same` and names nothing in Rust")
        self.check("Prose: `Run::status`", "Prose: `Run::state`", ":2: there is no `Run::state` in Rust")


if __name__ == "__main__":
    unittest.main()
