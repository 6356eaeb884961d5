"""The targets: every module of this folder, by name."""

import importlib
import pkgutil


def names():
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def target(name):
    return importlib.import_module(f"{__name__}.{name}")
