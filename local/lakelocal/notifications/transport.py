"""Sending one message: by SMTP, or by a POST to the URL of a webhook. Nothing is tried twice."""

import json
import os
import smtplib
import ssl
import urllib.request
from email.message import EmailMessage
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from lakelocal.notifications.settings import Smtp


class NotDelivered(Exception):
    """Raised when a message did not arrive; the text says where and why, without passwords and URLs' paths."""


def send_email(message: EmailMessage, smtp: Smtp, timeout: float) -> None:
    """Give *message* to the server of *smtp*; *timeout* in seconds counts for each of its answers.

    Raises:
        NotDelivered: the server cannot be reached, offers no TLS where it is asked for, or refuses an address.
    """
    host, port = smtp.address
    try:
        with _connected(smtp, timeout) as server:
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotDelivered(f"SMTP server {host}:{port}: {_reason(error)}") from error
    if refused:
        raise NotDelivered(f"SMTP server {host}:{port}: refused {', '.join(refused)}")


def post(payload: dict[str, Any], url: str, timeout: float) -> None:
    """POST *payload* as JSON to *url*; any answer but 2xx is a failure, a redirection too.

    Raises:
        NotDelivered: no answer in *timeout* seconds, or another one than 2xx.
    """
    host = urlsplit(url).netloc.rpartition("@")[2]
    body = json.dumps(payload, ensure_ascii=False).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout):
            return
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"webhook at {host}: {_reason(error)}") from error


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


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook that moved must be configured anew: its messages go nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"answered {error.code} {error.reason}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused {', '.join(error.recipients)}"
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    return str(error) or type(error).__name__
