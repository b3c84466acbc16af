"""With MESHWORK_BUNDLE=/path/to/libmeshwork.so.1 the wheel carries that file
and is of this platform only; without it, it is pure Python."""

import os
import shutil

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

BUNDLE = os.environ.get("MESHWORK_BUNDLE", "")


class Build(build_py):
    def run(self) -> None:
        super().run()
        if BUNDLE:
            shutil.copyfile(BUNDLE, os.path.join(self.build_lib, "meshwork", "libmeshwork.so.1"))


class Platform(Distribution):
    def has_ext_modules(self) -> bool:
        return bool(BUNDLE)


setup(cmdclass={"build_py": Build}, distclass=Platform)
