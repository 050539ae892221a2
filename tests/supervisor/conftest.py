"""Real homes with real processes and pages that are built once."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sp404_app.supervisor.home import Home
from tests.product import Product, free_port, home_in, slot

LEAN = {"SP404_WORKERS": "1", "SP404_DEMO": "false"}


@pytest.fixture(scope="package")
def pages() -> Iterator[Path]:
    """A folder of built pages, kept between test runs."""
    with slot() as folder:
        with home_in(folder) as product:
            product.extra = LEAN
            product.start()
            product.stop()
        yield folder / "bundles"


@pytest.fixture
def new_product(pages: Path) -> Iterator[Callable[..., Product]]:
    """Make a product with an empty home and a free port, not yet started."""
    made: list[Product] = []

    def make(**extra: str) -> Product:
        made.append(fresh(pages, **extra))
        return made[-1]

    yield make
    for product in made:
        discard(product)


@pytest.fixture(scope="module")
def running(pages: Path) -> Iterator[Product]:
    """A running product, for tests that do not stop it."""
    product = fresh(pages)
    product.start()
    yield product
    discard(product)


def fresh(pages: Path, **extra: str) -> Product:
    root = Path(tempfile.mkdtemp(prefix="sp404s-"))
    product = Product(root / "home", free_port(), LEAN | extra)
    lend_pages(pages, product)
    return product


def discard(product: Product) -> None:
    if product.process:
        product.stop()
    shutil.rmtree(product.home.parent, ignore_errors=True)


@pytest.fixture
def product(new_product: Callable[..., Product]) -> Product:
    return new_product()


def lend_pages(pages: Path, product: Product) -> None:
    """Let a home use the pages that are built already."""
    product.home.mkdir(parents=True)
    Home(product.home).bundles.symlink_to(pages)
