"""`.local/notifications.yml`: how messages are sent. Without the file, they only stay in the outbox.

    smtp:
      host: smtp.example.com
      port: 587                      # default: 587 for starttls, 465 for tls, 25 for none
      tls: starttls                  # starttls (default), tls or none
      user: jobs                     # optional, with password_env
      password_env: SMTP_PASSWORD    # the environment variable that holds the password
      sender: jobs@example.com
    webhooks:                        # id of the notification destination in the job: URL
      0481e838-0a59-4eff-9541-a4ca6f149574: https://example.com/hook
    timeout_seconds: 10              # for connecting and for each answer

The file belongs to the user, not to the project: it is in the state's folder, which git ignores.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, create_model

from lakelocal.errors import ProjectError
from lakelocal.notifications.channels import CHANNELS
from lakelocal.notifications.channels.channel import NOBODY, Settings
from lakelocal.notifications.channels.email import EMAIL


class Delivery(Settings):
    """The settings that apply to all channels."""

    timeout_seconds: float = Field(default=10, gt=0, le=60)


_PARTS: dict[str, Any] = {each.setting: (each.part, Field(default_factory=each.default)) for each in CHANNELS}
# The configuration, with one part per channel; by default nothing.
NotificationSettings: type[Delivery] = create_model("NotificationSettings", __base__=Delivery, **_PARTS)


def read_settings(file: Path) -> Delivery:
    """The settings in *file*; the defaults if it does not exist.

    Raises:
        ProjectError: the file cannot be read, or some of its fields are invalid; each is named.
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
        known = ", ".join([*(each.setting for each in CHANNELS), *Delivery.model_fields])
        raise ProjectError(f"`{file}`: found a {type(found).__name__}; expected {known}. Correct it.")
    try:
        return NotificationSettings.model_validate(found)
    except ValidationError as error:
        raise ProjectError("\n".join(f"`{file}`: {_sentence(mistake)}" for mistake in error.errors())) from None


def sender_of(settings: Delivery) -> str:
    """The sender of e-mails, also in the outbox."""
    smtp = getattr(settings, EMAIL.setting)
    return str(smtp.sender) if smtp else NOBODY


def _sentence(mistake: Mapping[str, Any]) -> str:
    """One mistake, without its value: that may be a password, or a URL that contains a token."""
    field = ".".join(str(part) for part in mistake["loc"])
    return f"`{field}`: {_lowered(mistake['msg'].removeprefix('Value error, '))}. Correct or remove it."


def _lowered(text: str) -> str:
    """*text* as it continues after a colon: with a lower-case first letter, except for `URL`."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
