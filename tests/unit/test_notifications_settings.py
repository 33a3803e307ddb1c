"""`.local/notifications.yml`: what it may contain, and what is reported if it is wrong."""

from pathlib import Path

import pytest

from lakelocal.errors import ProjectError
from lakelocal.notifications.settings import read_settings


def test_without_a_file_nothing_is_configured(tmp_path: Path) -> None:
    """Messages then stay in the outbox."""
    settings = read_settings(tmp_path / "notifications.yml")

    assert (settings.smtp, settings.webhooks) == (None, {})


def test_an_empty_file_is_as_none(tmp_path: Path) -> None:
    """Or one with comments only."""
    file = tmp_path / "notifications.yml"
    file.write_text("# smtp:\n")

    assert read_settings(file) == read_settings(tmp_path / "other.yml")


def test_the_example_of_the_module_can_be_read(tmp_path: Path) -> None:
    """It is what people copy."""
    from lakelocal.notifications import settings as module

    example = [line for line in (module.__doc__ or "").splitlines() if line.startswith("    ")]
    file = tmp_path / "notifications.yml"
    file.write_text("\n".join(example))

    found = read_settings(file)

    assert found.smtp is not None
    assert (found.smtp.address, found.smtp.tls, found.smtp.user) == (("smtp.example.com", 587), "starttls", "jobs")
    assert {id_: str(url) for id_, url in found.webhooks.items()} == {
        "0481e838-0a59-4eff-9541-a4ca6f149574": "https://example.com/hook"
    }
    assert found.timeout_seconds == 10


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_tls(tmp_path: Path, tls: str, port: int) -> None:
    """As the ports are assigned (IANA: submission, submissions, smtp)."""
    file = tmp_path / "notifications.yml"
    file.write_text(f'smtp: {{host: localhost, tls: "{tls}"}}')

    smtp = read_settings(file).smtp

    assert smtp is not None and smtp.address == ("localhost", port)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mail: {}", "`mail`: extra inputs are not permitted"),
        ("smtp: {port: 25}", "`smtp.host`: field required"),
        ("smtp: {host: h, port: seven}", "`smtp.port`: input should be a valid integer"),
        ("smtp: {host: h, port: 0}", "`smtp.port`: input should be greater than or equal to 1"),
        ("smtp: {host: h, tls: maybe}", "`smtp.tls`: input should be 'starttls', 'tls' or 'none'"),
        ("smtp: {host: h, password: secret}", "`smtp.password`: extra inputs are not permitted"),
        ("smtp: {host: h, user: u}", "`smtp`: `user` and `password_env` go together"),
        ("webhooks: {a: ftp://secret}", "`webhooks.a`: URL scheme should be 'http' or 'https'"),
        ("webhooks: {a: 'https://u:secret@h'}", "`webhooks.a`: found a user in the URL"),
        ("timeout_seconds: 0", "`timeout_seconds`: input should be greater than 0"),
        ("[1]", "found a list; expected smtp, webhooks, timeout_seconds"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The file, the field and what was expected; never the value, which may be a secret."""
    file = tmp_path / "notifications.yml"
    file.write_text(text)

    with pytest.raises(ProjectError) as error:
        read_settings(file)

    assert str(error.value).startswith(f"`{file}`: {said}")
    assert "secret" not in str(error.value)
    assert error.value.exit_code == 2


def test_all_mistakes_are_listed(tmp_path: Path) -> None:
    """One line each."""
    file = tmp_path / "notifications.yml"
    file.write_text("smtp: {port: seven}\nwebhooks: {a: nowhere}")

    with pytest.raises(ProjectError) as error:
        read_settings(file)

    assert len(str(error.value).splitlines()) == 3


def test_a_file_that_is_not_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    """Without the line's text, which may be a secret."""
    file = tmp_path / "notifications.yml"
    file.write_text("smtp:\n  host: h\n  user: secret: no\n")

    with pytest.raises(ProjectError, match=r"notifications\.yml:3`: not YAML \(") as error:
        read_settings(file)

    assert "secret" not in str(error.value)
