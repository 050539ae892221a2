"""Metrics of the code itself: `python bench/code_metrics.py [PACKAGE…]`.

Counts what makes code hard to find one's way in: functions that share a name, long functions,
modules that import many others, broad excepts, and imports inside functions.
"""

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("sp404_app", "stripe_emulator")
LONG_LINES = 40
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    """Print one line per metric."""
    packages = tuple(sys.argv[1:]) or PACKAGES
    modules = {path: ast.parse(path.read_text()) for name in packages for path in _modules(name)}
    named = Counter(
        node.name for tree in modules.values() for node in tree.body if isinstance(node, FUNCTIONS)
    )
    shared = {name: count for name, count in named.items() if count > 1}
    stems = Counter(path.stem for path in modules if path.stem != "__init__")
    functions = [f for tree in modules.values() for f in ast.walk(tree) if isinstance(f, FUNCTIONS)]
    imports = sorted(len(set(_imported(tree, packages))) for tree in modules.values())
    print(f"modules                              {len(modules)}")
    print(f"module names that occur twice        {sum(count > 1 for count in stems.values())}")
    print(f"module-level functions               {named.total()}")
    print(f"  which share a name with another    {sum(shared.values())}")
    print(f"  the most frequent names            {Counter(shared).most_common(12)}")
    print(f"functions over {LONG_LINES} lines             {sum(map(_is_long, functions))}")
    print(f"own modules imported, median and p90 {_median_and_p90(imports)}")
    print(f"broad excepts                        {_count(modules, _is_broad)}")
    print(f"imports inside functions             {sum(map(_inner_imports, functions))}")


def _modules(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


def _imported(tree: ast.Module, packages: tuple[str, ...]) -> Iterator[str]:
    """Yield the modules of the product that a module imports; a package counts per name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(packages):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / f"{whole.replace('.', '/')}.py").exists()
                yield whole if is_module else str(node.module)


def _is_long(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return (function.end_lineno or 0) - function.lineno + 1 > LONG_LINES


def _median_and_p90(values: list[int]) -> tuple[float, int]:
    return statistics.median(values), values[int(0.9 * (len(values) - 1))]


def _count(modules: dict[Path, ast.Module], holds: Callable[[ast.AST], bool]) -> int:
    return sum(holds(n) for tree in modules.values() for n in ast.walk(tree))


def _is_broad(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and (
        node.type is None
        or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
    )


def _inner_imports(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return sum(isinstance(node, ast.Import | ast.ImportFrom) for node in function.body)


if __name__ == "__main__":
    main()
