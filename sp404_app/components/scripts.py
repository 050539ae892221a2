"""Publish the scripts that lie beside a module of components."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from reflex.assets import AssetPathStr


def publish_scripts(publish: Callable[[str], AssetPathStr], *names: str) -> dict[str, str]:
    """Return the import path of each script by its name.

    `publish` calls `rx.asset` in the module beside which the scripts lie. `rx.asset` finds that
    module by `inspect.stack()`, which reads the source of every frame: about 50 ms for each script
    within the nested imports of the start. A thread has a short stack.
    """
    with ThreadPoolExecutor(1) as pool:
        published = pool.map(publish, names)
        return {name: asset.importable_path for name, asset in zip(names, published, strict=True)}
