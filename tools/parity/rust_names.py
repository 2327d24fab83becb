"""The public names of a Rust crate, read from its sources as rustfmt leaves them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VISIBLE = r"pub (?:const )?(?:async )?"
# Items at the beginning of a line: rustfmt indents everything that is inside of something else.
ITEM = re.compile(rf"^{VISIBLE}(?:fn|struct|enum|trait|type|const|mod) (\w+)", re.MULTILINE)
# What has members, up to the brace that closes it at the beginning of a line.
BLOCK = re.compile(r"^(pub (?:struct|enum|trait) |impl\b(?:<.*?>)? )([^{;]*)\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
# `pub use a::b::{C, D};`
REEXPORT = re.compile(r"^pub use ([^;]*);", re.MULTILINE)


@dataclass(frozen=True)
class Rust:
    """What can be named."""

    # `Item`, `Type::method`, `Trait::method`, `Enum::Variant` and `Struct::field`, of what is public.
    names: set[str]
    # Every function's name, macros' templates included: what can stand after a dot.
    methods: set[str]
    # The options of `#[task(…)]`.
    options: set[str]
    # The commands of `graflow lineage`.
    commands: set[str]


def read_rust(folders: list[Path]) -> Rust:
    paths = [path for folder in folders for path in sorted(folder.rglob("*.rs"))]
    sources = {path: path.read_text(encoding="utf-8") for path in paths}
    return Rust(
        names=set().union(*map(names_of, sources.values())),
        methods={name for text in sources.values() for name in re.findall(r"\bfn (\w+)", text)},
        options=options_of("".join(text for path, text in sources.items() if path.name == "options.rs")),
        commands=commands_of("".join(text for path, text in sources.items() if path.name == "args.rs")),
    )


def names_of(text: str) -> set[str]:
    names = set(ITEM.findall(text))
    for line in REEXPORT.findall(text):
        names.update(re.findall(r"\b\w+\b", line))
    for opening, head, body in BLOCK.findall(text):
        owner = owner_of(head)
        names.update(f"{owner}::{member}" for member in members_of(opening, head, body))
    return names


def owner_of(head: str) -> str:
    """`Trait for Type<T> where …` is about `Type`."""
    about = head.split(" for ")[-1]
    found = re.match(r"(?:\w+::)*(\w+)", about)
    return found[1] if found else ""


def members_of(opening: str, head: str, body: str) -> Iterator[str]:
    of_trait = "trait" in opening or " for " in head
    visible = "(?:pub )?" if of_trait else "pub "
    yield from re.findall(rf"^    {visible}(?:const )?(?:async )?fn (\w+)", body, re.MULTILINE)
    if "struct" in opening:
        yield from re.findall(r"^    pub (\w+):", body, re.MULTILINE)
    if "enum" in opening:
        yield from re.findall(r"^    ([A-Z]\w*)", body, re.MULTILINE)


def options_of(text: str) -> set[str]:
    """What the reader of the attribute compares with."""
    return set(re.findall(r'"(\w+)"', text))


def commands_of(text: str) -> set[str]:
    """The variants of `LineageCommand`, as they are typed."""
    found = re.search(r"^pub(?:\(crate\))? enum LineageCommand \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    return {name.lower() for name in re.findall(r"^    ([A-Z]\w*)", found[1], re.MULTILINE)} if found else set()
