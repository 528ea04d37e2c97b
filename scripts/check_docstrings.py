"""Check the public docstrings of `simulation` against the numpydoc rules that pyproject.toml selects.

Everything public has a docstring. Functions document every parameter and what they return, except small ones (at most
three parameters, whose names carry the unit) that sentences alone describe. A summary that begins with "Return" says
what is returned; the annotation gives its type. Classes and methods need a sentence.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from numpydoc.hooks.validate_docstrings import parse_config, process_file

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = ("PR01", "RT01")
SMALL = 3


def _functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _excused(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and rule where a section may be left out."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((node.lineno, code) for code in SECTIONS)
    for node in _functions(tree):
        docstring = ast.get_docstring(node) or ""
        parameters = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
        if node not in tree.body or ("\n---" not in docstring and parameters <= SMALL):
            yield from ((node.lineno, code) for code in SECTIONS)
        elif docstring.startswith("Return ") and node.returns is not None:
            yield node.lineno, "RT01"


def _nested(tree: ast.Module) -> set[int]:
    """Return the lines of functions inside of functions: nobody outside can call them."""
    return {inner.lineno for outer in _functions(tree) for inner in _functions(outer) if inner is not outer}


def findings(folder: Path = ROOT / "simulation") -> list[str]:
    """Return one line for every broken rule in the modules of a folder."""
    config = parse_config(ROOT)
    found = []
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        excused, nested = set(_excused(tree)), _nested(tree)
        for where, name, code, what in process_file(path, config):
            line = int(where.rpartition(":")[2])
            if line not in nested and (line, code) not in excused:
                found.append(f"{path.relative_to(folder.parent)}:{line}: {name}: {code} {what}")
    return found


def main() -> int:
    """Print what is wrong; the exit status says whether anything is."""
    lines = findings()
    print("\n".join([*lines, f"numpydoc: {len(lines)} broken rules"]))
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
