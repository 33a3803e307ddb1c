"""`.local/notifications.yml`: what sends messages away. Without the file, they only stay in the outbox.

    smtp:
      host: smtp.example.com
      port: 587                      # default: 587 for starttls, 465 for tls, 25 for none
      tls: starttls                  # starttls (default), tls or none
      user: jobs                     # optional, with password_env
      password_env: SMTP_PASSWORD    # the environment variable that holds the password
      sender: jobs@example.com
    webhooks:                        # id of the notification destination in the job: URL
      0481e838-0a59-4eff-9541-a4ca6f149574: https://example.com/hook
    timeout_seconds: 10              # of one delivery's connection and answers

The file is the user's, not the project's: it lies in the state's folder, which git ignores.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator

from lakelocal.errors import ProjectError
from lakelocal.notifications.outbox import NOBODY

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_user(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("found a user in the URL; expected none, it would not be sent")
    return url


class Smtp(_Strict):
    """The server that takes e-mails."""

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_env: str | None = None
    sender: str = NOBODY

    @model_validator(mode="after")
    def _user_and_password(self) -> "Smtp":
        if (self.user is None) != (self.password_env is None):
            raise ValueError("`user` and `password_env` go together")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or _PORTS[self.tls]


class NotificationSettings(_Strict):
    """What is configured; by default nothing."""

    smtp: Smtp | None = None
    webhooks: dict[str, Annotated[HttpUrl, AfterValidator(_without_user)]] = Field(default_factory=dict)
    timeout_seconds: float = Field(default=10, gt=0, le=60)


def read_settings(file: Path) -> NotificationSettings:
    """The settings in *file*; the default where it does not exist.

    Raises:
        ProjectError: the file cannot be read, or one of its fields is wrong; each is named.
    """
    if not file.is_file():
        return NotificationSettings()
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProjectError(f"`{file}:{line}`: not YAML ({error.problem}). Correct it.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProjectError(f"`{file}`: cannot be read ({error}). Correct it.") from error
    if not isinstance(found, dict):
        known = ", ".join(NotificationSettings.model_fields)
        raise ProjectError(f"`{file}`: found a {type(found).__name__}; expected {known}. Correct it.")
    try:
        return NotificationSettings.model_validate(found)
    except ValidationError as error:
        raise ProjectError("\n".join(f"`{file}`: {_sentence(mistake)}" for mistake in error.errors())) from None


def _sentence(mistake: Mapping[str, Any]) -> str:
    """One mistake without its value: it may be a password or a URL that holds a token."""
    field = ".".join(str(part) for part in mistake["loc"])
    return f"`{field}`: {_lowered(mistake['msg'].removeprefix('Value error, '))}. Correct or remove it."


def _lowered(text: str) -> str:
    """*text* as it goes on after a colon; `URL` stays."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
