"""Put on a Python's path as `sitecustomize`: writes down every call of a step, in whatever process it happens."""

import importlib.abc
import importlib.machinery
import inspect
import json
import os
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


class Recorder(importlib.abc.MetaPathFinder):
    """Wraps the functions of the module $RECORD_MODULE as it is imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != os.environ["RECORD_MODULE"]:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                execute(module)
                for step, function in inspect.getmembers(module, inspect.isfunction):
                    if function.__module__ == name and not step.startswith("_"):
                        setattr(module, step, recorded(step, function))

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def recorded(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*values: Any, **named: Any) -> Any:
        bound = inspect.signature(function).bind(*values, **named)
        bound.apply_defaults()
        arguments = {name: value for name, value in bound.arguments.items() if name != "settings"}
        result = function(*values, **named)
        with Path(os.environ["RECORD_FILE"]).open("a") as file:
            file.write(json.dumps([step, arguments, result]) + "\n")
        return result

    return call


if "RECORD_FILE" in os.environ:
    sys.meta_path.insert(0, Recorder())
