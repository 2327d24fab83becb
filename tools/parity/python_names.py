"""The public names of a Python package, read from its sources: nothing of it is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

# What people write as an operator or a call.
OPERATORS = {"__rshift__", "__lshift__", "__or__", "__call__", "__enter__", "__len__", "__getitem__", "__iter__"}
# What decorates a method that is read like an attribute.
PROPERTIES = {"property", "cached_property"}
# Type variables and loggers are the module's own business.
PRIVATE_CALLS = {"TypeVar", "getLogger", "ParamSpec"}


@dataclass
class Class:
    """A class: its bases by name, and the names of its members as they are written, such as `get(key, default)`."""

    name: str
    bases: list[str]
    members: dict[str, str] = field(default_factory=dict)


@dataclass
class Module:
    """A module: the names it defines, as they are written, and the ones that it passes on from others."""

    name: str
    classes: list[Class] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)


def read_package(folder: Path) -> dict[str, set[str]]:
    """Every module with public names, and these: `Class(…)`, `Class.member(…)`, `function(…)`, `VALUE`.

    What a class only takes over from a base of the same package, or defines again with the same parameters, is the
    base's name.
    """
    modules = [read_module(folder, path) for path in sorted(folder.rglob("*.py"))]
    classes = {one.name: one for module in modules for one in module.classes}
    names = {module.name: set(names_of(module, classes)) for module in modules}
    return {module: found for module, found in names.items() if found}


def names_of(module: Module, classes: dict[str, Class]) -> Iterator[str]:
    yield from module.functions.values()
    yield from module.values
    yield from module.exports
    for one in module.classes:
        constructor = one.members.get("__init__", "")
        yield one.name + constructor.removeprefix("__init__")
        taken_over = set(inherited(one, classes))
        for name, written in one.members.items():
            if name != "__init__" and written not in taken_over:
                yield f"{one.name}.{written}"


def inherited(one: Class, classes: dict[str, Class]) -> Iterator[str]:
    """What the bases of a class define, as far as they are classes of the package."""
    for base in one.bases:
        if base in classes and base != one.name:
            yield from classes[base].members.values()
            yield from inherited(classes[base], classes)


def read_module(folder: Path, path: Path) -> Module:
    parts = (folder.name, *path.relative_to(folder).with_suffix("").parts)
    module = Module(".".join(parts).removesuffix(".__init__"))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module.exports.extend(exported(tree))
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef) and is_public(statement.name):
            module.classes.append(read_class(statement))
        elif isinstance(statement, Function) and is_public(statement.name):
            # Of overloads the last one counts: it is the one that is called.
            module.functions[statement.name] = signature(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            module.values.extend(value_names(statement))
    defined = {one.name for one in module.classes} | module.functions.keys() | set(module.values)
    module.exports = [name for name in module.exports if name not in defined]
    return module


def read_class(statement: ast.ClassDef) -> Class:
    bases = [last_name(base.value if isinstance(base, ast.Subscript) else base) for base in statement.bases]
    one = Class(statement.name, bases)
    for member in statement.body:
        if isinstance(member, Function):
            if member.name == "__init__":
                one.members.update((name, name) for name in attributes(member))
            if is_public(member.name) or member.name == "__init__":
                one.members[member.name] = signature(member)
        elif isinstance(member, ast.Assign | ast.AnnAssign):
            one.members.update((name, name) for name in value_names(member))
    return one


def signature(function: Function) -> str:
    """`name(a, b, *args)`, without `self`, `cls` and private parameters; the bare name of a property."""
    if PROPERTIES & {last_name(decorator) for decorator in function.decorator_list}:
        return function.name
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg:
        names.append(f"*{arguments.vararg.arg}")
    names.extend(argument.arg for argument in arguments.kwonlyargs)
    if arguments.kwarg:
        names.append(f"**{arguments.kwarg.arg}")
    public = [name for name in names if name not in ("self", "cls") and not name.startswith("_")]
    return f"{function.name}({', '.join(public)})"


def attributes(constructor: Function) -> Iterator[str]:
    """Public attributes that a constructor sets and that are not simply its parameters."""
    parameters = {argument.arg for argument in (*constructor.args.args, *constructor.args.kwonlyargs)}
    for node in ast.walk(constructor):
        for target in targets_of(node):
            match target:
                case ast.Attribute(ast.Name("self"), name) if is_public(name) and name not in parameters:
                    yield name


def value_names(statement: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    value = statement.value
    if isinstance(value, ast.Call) and last_name(value.func) in PRIVATE_CALLS:
        return
    for target in targets_of(statement):
        if isinstance(target, ast.Name) and is_public(target.id):
            yield target.id


def targets_of(statement: ast.AST) -> list[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) else []


def exported(tree: ast.Module) -> Iterator[str]:
    """What `__all__` names, also where it grows with the packages that are installed."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name("__all__")]) | ast.AnnAssign(target=ast.Name("__all__")):
                value: ast.AST | None = node.value
            case ast.Call(func=ast.Attribute(ast.Name("__all__"), "append" | "extend"), args=[value]):
                pass
            case _:
                continue
        for name in ast.walk(value) if value else ():
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


def last_name(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    if isinstance(expression, ast.Call):
        return last_name(expression.func)
    return expression.id if isinstance(expression, ast.Name) else ""


def is_public(name: str) -> bool:
    return not name.startswith("_") or name in OPERATORS
