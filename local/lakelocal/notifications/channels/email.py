"""E-mail: one message to everyone who is listed, through an SMTP server."""

import html
import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from lakelocal.notifications.channels.channel import NOBODY, Channel, Message, NotDelivered, Settings
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.rules import email_is_muted
from lakelocal.notifications.wording import facts, subject

_ADDRESS = re.compile(r'[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\"]+')
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
# Headers are UTF-8 (RFC 6532) on one line each: folding and encoding would lose blanks and make them unreadable.
_READABLE = policy.default.clone(utf8=True, max_line_length=0)


class Smtp(Settings):
    """The server that accepts e-mails."""

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


@dataclass(frozen=True)
class Email(Message):
    """One e-mail; *text* and *html* have the same content."""

    text: str
    html: str

    setting = "smtp"
    suffix = "eml"

    @property
    def addresses(self) -> list[str]:
        """Those of *to* that are e-mail addresses."""
        return [each for each in self.to if _ADDRESS.fullmatch(each)]

    @property
    def body(self) -> dict[str, Any]:
        return {"text": self.text, "html": self.html}

    def content(self, id_: str, at: datetime, delivery: str, sender: str) -> bytes:
        """The e-mail as it is sent, with the header `X-Delivery`."""
        result = self.as_sent(id_, at, sender)
        result["X-Delivery"] = delivery
        return result.as_bytes(policy=_READABLE)

    def way(self, part: Smtp | None) -> str | None:
        return "smtp" if part else None

    def send(self, id_: str, at: datetime, part: Smtp, timeout: float) -> None:
        if self.addresses:
            _send(self.as_sent(id_, at, part.sender), part, timeout)
        if wrong := [each for each in self.to if each not in self.addresses]:
            raise NotDelivered(f"no e-mail address: {', '.join(wrong)}")

    def as_sent(self, id_: str, at: datetime, sender: str) -> EmailMessage:
        """The e-mail, from *sender*."""
        result = EmailMessage()
        result["From"] = sender
        result["To"] = ", ".join(self.addresses)
        result["Subject"] = self.subject
        result["Date"] = format_datetime(at)
        result["Message-ID"] = f"<{id_}@localhost>"
        result["X-Event-Type"] = self.event_type
        result["X-Recipients"] = ", ".join(self.to)  # including what is not an address, which `To` cannot contain
        result.set_content(self.text)
        result.add_alternative(self.html, subtype="html")
        return result


def _recipients(what: Occasion, listed: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [listed] if listed and not email_is_muted(what) else []


def _message(what: Occasion, to: tuple[str, ...]) -> Email:
    told = list(facts(what))
    headline = subject(what)
    return Email(f"jobs.{what.event}", to, headline, _text(headline, told), _html(headline, told))


EMAIL = Channel("email", "email_notifications", "smtp", Smtp | None, lambda: None, _recipients, _message)


def _text(subject: str, facts: list[tuple[str, str]]) -> str:
    width = max(len(label) for label, _ in facts) + 2
    lines = [f"{label + ':':<{width}}{_indented(value, width)}" for label, value in facts]
    return "\n".join([subject, "", *lines, ""])


def _html(subject: str, facts: list[tuple[str, str]]) -> str:
    cells = '<tr><th align="left" valign="top">{}</th><td><pre>{}</pre></td></tr>'
    rows = "\n".join(cells.format(html.escape(label), html.escape(value)) for label, value in facts)
    return f"<html><body>\n<h3>{html.escape(subject)}</h3>\n<table>\n{rows}\n</table>\n</body></html>\n"


def _indented(value: str, width: int) -> str:
    return f"\n{' ' * width}".join(value.splitlines())


def _send(message: EmailMessage, smtp: Smtp, timeout: float) -> None:
    """Send *message* through the server, which may be unreachable, lack the configured TLS, or refuse a recipient."""
    host, port = smtp.address
    try:
        with _connected(smtp, timeout) as server:
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotDelivered(f"SMTP server {host}:{port}: {_reason(error)}") from error
    if refused:
        raise NotDelivered(f"SMTP server {host}:{port}: refused {', '.join(refused)}")


def _connected(smtp: Smtp, timeout: float) -> smtplib.SMTP:
    host, port = smtp.address
    password = _password(smtp)
    if smtp.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        if smtp.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if smtp.user is not None:
            server.login(smtp.user, password)
    except BaseException:
        server.close()
        raise
    return server


def _password(smtp: Smtp) -> str:
    if smtp.password_env is None:
        return ""
    if not (password := os.environ.get(smtp.password_env)):
        raise ValueError(f"the environment variable `{smtp.password_env}` is not set")
    return password


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused {', '.join(error.recipients)}"
    return str(error) or type(error).__name__
