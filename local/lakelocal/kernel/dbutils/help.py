"""`help()` of `dbutils` and of its modules: one line for each command, taken from its docstring."""

import inspect
from typing import Any

from lakelocal.errors import DbutilsError

_NO_COMMANDS = ("help", "overlaid")


def show_modules(name: str, modules: dict[str, str]) -> None:
    """Print the *modules* of *name*, one per line."""
    print(f"{name}: utilities of a Databricks notebook")
    for module, meaning in modules.items():
        print(f"  {module:<9} {meaning}")
    print(f"{name}.<module>.help() lists its commands.")


class HasHelp:
    """A module of `dbutils`, whose public methods are its commands; other commands are refused by name."""

    _name = "dbutils"
    _refused: dict[str, str] = {}  # noqa: RUF012 - constants of the classes, not shared state

    def help(self, command: str = "") -> None:
        """List the commands, or describe one."""
        commands = self._commands()
        if not command:
            print(f"{self._name}: {_first_line(type(self))}")
            for name, method in commands.items():
                print(f"  {name}{_signature(method)}: {_first_line(method)}")
        elif command in commands:
            method = commands[command]
            print(f"{self._name}.{command}{_signature(method)}\n\n{inspect.getdoc(method)}")
        else:
            raise self._unknown(command)

    def _commands(self) -> dict[str, Any]:
        found = inspect.getmembers(type(self), inspect.isfunction)
        return {name: method for name, method in found if not name.startswith("_") and name not in _NO_COMMANDS}

    def _unknown(self, name: str) -> DbutilsError:
        known = ", ".join(f"`{known}`" for known in self._commands())
        reason = self._refused.get(name, "no such command")
        return DbutilsError(f"`{self._name}.{name}`: {reason}; the commands are {known}.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._unknown(name)


def _signature(method: Any) -> str:
    signature = inspect.signature(method)
    shown = [parameter for name, parameter in signature.parameters.items() if name != "self"]
    return str(signature.replace(parameters=shown))


def _first_line(method: object) -> str:
    return (inspect.getdoc(method) or "").partition("\n")[0]
