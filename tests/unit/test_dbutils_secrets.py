"""`dbutils.secrets`: what is read, and that it is removed from what a kernel sends."""

from types import SimpleNamespace

import pytest

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.secrets import SecretMetadata, Secrets, SecretScope, SecretsFile, redacting
from lakelocal.project import State


@pytest.fixture
def secrets(tmp_path):
    """The secrets of a project with two scopes."""
    (tmp_path / ".secrets.yml").write_text("mail:\n  user: me\n  password: 'p<&w'\nempty: {}\n")
    state = State(tmp_path, "main", tmp_path / "state")
    kernel = SimpleNamespace(state=state, ip=SimpleNamespace())
    return Secrets(kernel, SecretsFile(kernel))


def test_secrets_are_read_and_listed(secrets):
    """Lists show names, never values."""
    assert secrets.get("mail", "password") == "p<&w"
    assert secrets.getBytes("mail", "user") == b"me"
    assert secrets.list("mail") == [SecretMetadata("password"), SecretMetadata("user")]
    assert secrets.listScopes() == [SecretScope("empty"), SecretScope("mail")]


def test_what_is_missing_is_named(secrets):
    """The text begins like Databricks'."""
    with pytest.raises(DbutilsError, match="scope: mail and key: token; the keys of the scope: `password`"):
        secrets.get("mail", "token")
    with pytest.raises(DbutilsError, match="scope: sms; the scopes: `empty`, `mail`"):
        secrets.get("sms", "token")


def test_a_broken_file_is_not_quoted(secrets, tmp_path):
    """YAML's own error would show the line, and with it the secret."""
    (tmp_path / ".secrets.yml").write_text("mail: {password: topsecret")

    with pytest.raises(DbutilsError) as caught:
        secrets.list("mail")
    assert "topsecret" not in str(caught.value)


def test_every_output_is_redacted_and_other_messages_are_not():
    """In both ways in which a Jupyter session sends messages."""
    sent = []
    send = redacting(lambda *message, **more: sent.append((message, more)), lambda: {"p<&w", "p&lt;&amp;w", "p<&w2"})
    output = {"header": {"msg_type": "display_data"}, "content": {"data": {"text/html": "<b>p&lt;&amp;w</b>"}}}

    send("pub", output)
    send("pub", "stream", {"name": "stdout", "text": "a p<&w2 p<&w"})
    send("pub", "error", content={"evalue": "p<&w", "traceback": ["1", "x p<&w"]})
    send("pub", "status", {"execution_state": "p<&w"})

    assert sent[0][0][1]["content"] == {"data": {"text/html": "<b>[REDACTED]</b>"}}
    assert sent[1][0][2] == {"name": "stdout", "text": "a [REDACTED] [REDACTED]"}
    assert sent[2][0][2] == {"evalue": "[REDACTED]", "traceback": ["1", "x [REDACTED]"]}
    assert sent[3][0][2] == {"execution_state": "p<&w"}
    assert output["content"]["data"]["text/html"] == "<b>p&lt;&amp;w</b>"
