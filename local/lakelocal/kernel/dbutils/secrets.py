"""`dbutils.secrets`: values from the user's `.secrets.yml` (`{scope: {key: value}}`), or from a workspace.

Besides those in the file, there are the secrets that clients of the local workspace have put; those in the file take
precedence.

Every secret that has been read is `[REDACTED]` in all outputs of the kernel: streams, displayed data, results and
errors, also in their HTML and `repr` forms. This is not complete, as on Databricks: a value that is encoded, spelled
with spaces, or printed in pieces which are sent separately is not recognised.
"""

import html
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp
from lakelocal.project import State

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

REDACTED = "[REDACTED]"
_OUTPUTS = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "execute_reply", "inspect_reply"}
)


class HasState(Protocol):
    """Anything with the state of a catalog."""

    @property
    def state(self) -> State: ...


class SecretScope(NamedTuple):
    """A scope, as `listScopes` returns it."""

    name: str

    def getName(self) -> str:
        return self.name


class SecretMetadata(NamedTuple):
    """The name of a secret, as `list` returns it."""

    key: str


Scopes: TypeAlias = list[SecretScope]  # since `list` is a method inside the classes below


class Secrets(HasHelp):
    """Secrets, which outputs never show once they have been read.

    Args:
        kernel: Has `ip`.
        source: Has `get`, `list` and `listScopes`: a `SecretsFile`, or the `dbutils.secrets` of a workspace.
    """

    _name = "dbutils.secrets"

    def __init__(self, kernel: "Kernel", source: Any) -> None:
        self._kernel = kernel
        self._source = source
        self._secrets_read: set[str] = set()
        self._is_redacting = False

    def get(self, scope: str, key: str) -> str:
        """The value of a secret, as text."""
        value: str = self._source.get(scope, key)
        self._guard(value)
        return value

    def getBytes(self, scope: str, key: str) -> bytes:
        """The value of a secret, as UTF-8 bytes."""
        return self.get(scope, key).encode("utf-8")

    def list(self, scope: str) -> list[SecretMetadata]:
        """The keys of a scope; never the values."""
        return [SecretMetadata(each.key) for each in self._source.list(scope)]

    def listScopes(self) -> Scopes:
        """The scopes."""
        return [SecretScope(each.name) for each in self._source.listScopes()]

    def _guard(self, value: str) -> None:
        if value.strip():
            self._secrets_read.update({value, html.escape(value), repr(value)[1:-1]})
        kernel = getattr(self._kernel.ip, "kernel", None)
        if kernel is not None and not self._is_redacting:
            self._is_redacting = True
            kernel.session.send = redacting(kernel.session.send, lambda: self._secrets_read)


class SecretsFile:
    """The secrets in `.secrets.yml` beside the bundle, and those of the local workspace.

    Args:
        owner: Has `state`, as a kernel does.
    """

    def __init__(self, owner: "HasState") -> None:
        self._owner = owner

    def get(self, scope: str, key: str) -> str:
        """The value of a secret, as text."""
        keys = self._scope(scope)
        if key not in keys:
            raise DbutilsError(
                f"Secret does not exist with scope: {scope} and key: {key}; the keys of the scope: {_listed(keys)}. "
                f"Add it to `{self._owner.state.secrets_file}`."
            )
        return str(keys[key])

    def list(self, scope: str) -> list[SecretMetadata]:
        """The keys of a scope; never the values."""
        return [SecretMetadata(key) for key in sorted(self._scope(scope))]

    def listScopes(self) -> Scopes:
        """The scopes."""
        return [SecretScope(scope) for scope in sorted(self.scopes())]

    def _scope(self, scope: str) -> dict[str, Any]:
        scopes = self.scopes()
        if scope not in scopes:
            raise DbutilsError(
                f"Secret does not exist with scope: {scope}; the scopes: {_listed(scopes)}. "
                f"Add it to `{self._owner.state.secrets_file}` as `{{scope: {{key: value}}}}`."
            )
        return scopes[scope]

    def scopes(self) -> dict[str, dict[str, Any]]:
        """All secrets: the keys and values of each scope.

        Raises:
            DbutilsError: a file cannot be read, or contains something else.
        """
        state = self._owner.state
        found = read_secrets(state.workspace_secrets)
        for scope, keys in read_secrets(state.secrets_file).items():
            found[scope] = {**found.get(scope, {}), **keys}
        return found


def read_secrets(file: Path) -> dict[str, dict[str, Any]]:
    """The keys and values of each scope in *file*, which may be absent.

    Raises:
        DbutilsError: it cannot be read, or contains something else.
    """
    import yaml

    expected = "Correct it; expected `scope: {key: value}`."
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        # The reason is not shown, since YAML's errors quote lines, and with them the secrets.
        raise DbutilsError(f"`{file}`: cannot be read as YAML. {expected}") from None
    if not isinstance(found, dict) or not all(isinstance(keys, dict) for keys in found.values()):
        raise DbutilsError(f"`{file}`: found something other than scopes with keys. {expected}")
    return {str(scope): {str(key): value for key, value in keys.items()} for scope, keys in found.items()}


def redacting(send: Callable[..., Any], secrets: Callable[[], set[str]]) -> Callable[..., Any]:
    """The method *send* of a Jupyter session, with every secret replaced in the outputs that it sends.

    All outputs of a kernel leave it through this one method, however they were made.
    """

    def send_redacted(stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **kwargs: Any) -> Any:
        longest_first = sorted(secrets(), key=len, reverse=True)
        if isinstance(msg_or_type, dict):
            if msg_or_type["header"]["msg_type"] in _OUTPUTS:
                msg_or_type = {**msg_or_type, "content": _redact(msg_or_type["content"], longest_first)}
        elif msg_or_type in _OUTPUTS:
            content = _redact(content, longest_first)
        return send(stream, msg_or_type, content, *args, **kwargs)

    return send_redacted


def _redact(value: Any, secrets: "list[str]") -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REDACTED)
        return value
    if isinstance(value, dict):
        return {name: _redact(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(inner, secrets) for inner in value]
    return value


def _listed(names: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
