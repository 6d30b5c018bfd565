"""The wheel holds the engine alone: its templates and assets, and no drawings of this post."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent

LEFT_OUT = {
    "templates": ("post",),
    "assets": (
        "post",
        "page.png",
        "src",
        "build.js",
        "package*.json",
        "node_modules",
        "engine.c",
        "build.sh",
    ),
}
"""Of each folder that goes along: what only this post needs, and what charts and engine are built
from."""


class Engine(build_py):
    """As setuptools does it, with the folders that stand beside `site_builder` in a checkout."""

    def find_package_modules(self, package, package_dir):
        """Leave out the post's drawings."""
        found = super().find_package_modules(package, package_dir)
        return [] if package == "site_builder.figures" else found

    def run(self):
        """Copy the engine's folders into the package, unless a checkout itself is installed."""
        super().run()
        if self.editable_mode:
            return
        for name, left_out in LEFT_OUT.items():
            target = Path(self.build_lib, "site_builder", name)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(HERE / name, target, ignore=shutil.ignore_patterns(*left_out))


setup(cmdclass={"build_py": Engine})
