"""Publish the scripts that lie beside a module of components."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def publish_scripts(publish: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return the import path of each script by its name, as `publish` finds them by `rx.asset`.

    `rx.asset` finds that module by `inspect.stack()`, which reads the source of every frame: about
    50 ms for each script within the nested imports of the start. A thread has a short stack.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(publish).result()
