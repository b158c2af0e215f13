"""Small projects of other people, as files: what they are called, and where their models are."""

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

NET = """
import numpy as np


class Net:
    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items).astype(float)

    def score(self, users, items):
        return self.counts[items]
"""

SHOP = {
    "shop/__init__.py": "",
    "shop/other.py": "ONE = 1\n",
    "shop/net.py": "import shop.other\nfrom shop.deep.low import ONE\n" + NET,
    "shop/deep/__init__.py": "",
    "shop/deep/low.py": "from ..other import ONE\n",
    "shop/deep/up.py": "from ..net import Net\nfrom shop.net import Net as Same\n\nassert Net is Same\n",
}
"""A package with absolute imports of itself, and relative ones over two levels."""

STORE = {
    "store/other.py": "ONE = 1\n",
    "store/net.py": "import store.other\n" + NET,
    "store/near.py": "from .net import Net\nimport store.other\n",
    "store/deep/up.py": "from ..net import Net\n",
}
"""The same without any __init__.py."""

FOLDERS = {
    "spaces": "my project",
    "umlauts": unicodedata.normalize("NFC", "Größe"),
    "decomposed umlauts": unicodedata.normalize("NFD", "Größe"),
    "bytes that are not UTF-8": "caf\udce9",
}
"""Names of folders."""

DIST_INFO = {
    "shop-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n",
    "shop-1.0.dist-info/entry_points.txt": "[recbench.models]\nshop-net = shop.net:Net\n",
}

FINDER = """
import sys
from importlib.util import spec_from_file_location


class Finder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname == "shop":
            return spec_from_file_location("shop", {init!r})


def install():
    sys.meta_path.append(Finder)
"""
"""What setuptools installs for an editable project in its default mode; hatchling's package ``editables`` is alike."""


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files, and the folders that hold them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def below(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    """Returns the files, moved into a folder."""
    return {f"{folder}/{name}": text for name, text in files.items()}


def install_wheel(project: Path, site: Path) -> None:
    """Installs the project as a wheel is unpacked."""
    write(site, {**SHOP, **DIST_INFO})


def install_path(project: Path, site: Path) -> None:
    """Installs the project with a .pth file that names its folder ``src``."""
    write(site, {"_shop.pth": f"{project / 'src'}\n", **DIST_INFO})


def install_finder(project: Path, site: Path) -> None:
    """Installs the project with a .pth file that starts a finder of its package."""
    finder = FINDER.format(init=str(project / "src" / "shop" / "__init__.py"))
    write(site, {"_shop.pth": "import _shop_finder; _shop_finder.install()\n", "_shop_finder.py": finder, **DIST_INFO})


INSTALLS: dict[str, Callable[[Path, Path], None]] = {
    "a wheel": install_wheel,
    "editable, a path": install_path,
    "editable, a finder": install_finder,
}
"""Ways to install the project ``shop`` into the folder ``site``."""
