"""Writes ``web/src/wire.ts`` from ``monitord/api/wire/``, so that both sides share one contract.

``python web/generate_types.py`` writes it; with ``--check`` nothing is written and the exit
status is 1 where the file is stale.  An own emitter because it is exact where it matters: tagged
unions become discriminated unions, closed vocabularies become union types with their list in the
glossary's order (a schema sorts them), and each field keeps its comment.
"""

from __future__ import annotations

import argparse
import ast
import enum
import inspect
import json
import sys
import typing
from pathlib import Path
from types import UnionType
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitord.api import wire  # noqa: E402 - the checkout is importable only from here on
from monitord.domain import words  # noqa: E402

OUT = ROOT / "web" / "src" / "wire.ts"
HEADER = """\
// GENERATED from monitord/api/wire/ by `python web/generate_types.py`. Do not edit.
// Instants are milliseconds UTC since 1970, lengths are milliseconds.
"""


def _reached() -> list[type]:
    """Every struct and vocabulary of the wire, whichever module it lives in, in a stable order."""
    found: dict[str, type] = {}

    def walk(hint: Any) -> None:
        if isinstance(hint, type) and issubclass(hint, (msgspec.Struct, enum.Enum)):
            if hint.__name__ in found:
                return
            found[hint.__name__] = hint
            if issubclass(hint, msgspec.Struct):
                for inner in typing.get_type_hints(hint).values():
                    walk(inner)
        for inner in typing.get_args(hint):
            walk(inner)

    for thing in vars(wire).values():
        if thing is not msgspec.Struct:
            walk(thing)
    return list(found.values())


def _structs() -> dict[str, type[msgspec.Struct]]:
    return {kind.__name__: kind for kind in _reached() if issubclass(kind, msgspec.Struct)}


def _enums() -> dict[str, type[enum.Enum]]:
    """In the glossary's order, then those of other rooms."""
    reached = {k.__name__: k for k in _reached() if issubclass(k, enum.Enum)}
    known = {name: thing for name, thing in vars(words).items() if name in reached}
    return known | {name: kind for name, kind in reached.items() if name not in known}


def _literals() -> dict[str, tuple[Any, ...]]:
    return {
        name: typing.get_args(thing)
        for name, thing in vars(wire).items()
        if typing.get_origin(thing) is typing.Literal
    }


def _unions() -> dict[str, list[str]]:
    return {
        name: [member.__name__ for member in typing.get_args(thing)]
        for name, thing in vars(wire).items()
        if isinstance(thing, UnionType)
        and all(isinstance(m, type) and issubclass(m, msgspec.Struct) for m in thing.__args__)
    }


def _field_comments(modules: set[str]) -> dict[tuple[str, str], str]:
    """The string under a field, which Python itself throws away: (class, field) -> text."""
    found: dict[tuple[str, str], str] = {}
    nodes = [n for name in modules for n in ast.parse(inspect.getsource(sys.modules[name])).body]
    for node in nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, after in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[node.name, field.target.id] = after.value.value
    return found


def _comment(text: str | None, indent: str = "") -> str:
    if not text:
        return ""
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


class _Types:
    """Turns a JSON schema node into TypeScript."""

    def __init__(self) -> None:
        self.aliases = {frozenset(values): name for name, values in _literals().items()}
        self.aliases |= {frozenset(names): name for name, names in _unions().items()}

    def of(self, node: dict[str, Any]) -> str:
        if "$ref" in node:
            return str(node["$ref"])
        if "anyOf" in node:
            parts = [self.of(part) for part in node["anyOf"]]
            return self.aliases.get(frozenset(parts), " | ".join(parts))
        if "enum" in node:
            values = node["enum"]
            return self.aliases.get(frozenset(values), " | ".join(map(json.dumps, values)))
        match node.get("type"):
            case "string":
                return "string"
            case "integer" | "number":
                return "number"
            case "boolean":
                return "boolean"
            case "null":
                return "null"
            case "array":
                inner = self.of(node["items"])
                return f"({inner})[]" if " | " in inner else f"{inner}[]"
            case "object":
                values = node.get("additionalProperties")
                return f"Record<string, {self.of(values) if values else 'unknown'}>"
            case None if not node:
                return "unknown"
        raise ValueError(f"no TypeScript known for {node}")


def generate() -> str:
    structs = _structs()
    _, schemas = msgspec.json.schema_components(structs.values(), ref_template="{name}")
    comments = _field_comments({kind.__module__ for kind in structs.values()})
    types = _Types()
    out = [HEADER, f"export const PROTOCOL = {wire.PROTOCOL};\n"]

    vocabularies = {name: [member.value for member in kind] for name, kind in _enums().items()}
    for name, values in {**vocabularies, **_literals()}.items():
        constant = "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(name)).upper()
        listed = ", ".join(map(json.dumps, values))
        out.append(
            f"export const {constant} = [{listed}] as const;\n"
            f"export type {name} = (typeof {constant})[number];\n"
        )

    for name in structs:
        schema = schemas[name]
        lines = [_comment(schema.get("description")), f"export interface {name} {{\n"]
        for field, node in schema["properties"].items():
            lines.append(_comment(comments.get((name, field)), "  "))
            optional = "" if field in schema.get("required", []) else "?"
            lines.append(f"  {field}{optional}: {types.of(node)};\n")
        lines.append("}\n")
        out.append("".join(lines))

    for name, members in _unions().items():
        out.append(f"export type {name} = {' | '.join(members)};\n")
    return "\n".join(out)


def main() -> int:
    options = argparse.ArgumentParser(description="Writes web/src/wire.ts from the wire messages.")
    options.add_argument("--check", action="store_true", help="only tell whether it is stale")
    check: bool = options.parse_args().check
    text = generate()
    current = OUT.read_text() if OUT.exists() else ""
    if current == text:
        return 0
    if check:
        sys.stderr.write(
            "web/src/wire.ts is stale: run `python web/generate_types.py` and commit it.\n"
        )
        return 1
    OUT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
