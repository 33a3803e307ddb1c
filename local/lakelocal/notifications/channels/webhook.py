"""Webhooks: one call for each notification destination that is listed, a POST to the URL configured for its id.

The payload is that of Databricks' HTTP webhooks: `event_type`, `workspace_id`, `run`, `job`; for an attempt also
`task`, and the run of the job as `run.parent_run_id`. Ids are numbers, as clients expect them; the documentation's
examples only have placeholders. The code `jobs.on_streaming_backlog_exceeded` is not in its table of event types.

Source: Databricks documentation, "Add notifications on a job", HTTP webhook payloads.
"""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from pydantic import AfterValidator, HttpUrl

from lakelocal.notifications.channels.channel import Channel, Message, NotDelivered
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.wording import subject

WORKSPACE_ID = 0  # what `{{workspace.id}}` gives here


def _without_user(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("found a user in the URL; expected none, because it would not be sent")
    return url


@dataclass(frozen=True)
class WebhookCall(Message):
    """One call of the notification destination with the id *to*; *payload* is the body."""

    payload: dict[str, Any]

    setting = "webhooks"

    @property
    def body(self) -> dict[str, Any]:
        return self.payload

    def way(self, part: Mapping[str, HttpUrl]) -> str | None:
        return f"webhook {self.to[0]}" if self.to[0] in part else None

    def send(self, id_: str, at: datetime, part: Mapping[str, HttpUrl], timeout: float) -> None:
        _post(self.payload, str(part[self.to[0]]), timeout)


def _recipients(what: Occasion, listed: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(id_,) for id_ in listed]


def _message(what: Occasion, to: tuple[str, ...]) -> WebhookCall:
    event_type = f"jobs.{what.event}"
    return WebhookCall(event_type, to, subject(what), _payload(what, event_type))


Urls = dict[str, Annotated[HttpUrl, AfterValidator(_without_user)]]
WEBHOOK = Channel("webhook", "webhook_notifications", "webhooks", Urls, dict, _recipients, _message)


def _payload(what: Occasion, event_type: str) -> dict[str, Any]:
    job = {"job_id": what.job.id, "name": what.job.name}
    run = {"run_id": what.run["run_id"]}
    task = {}
    if what.task:
        run = {"run_id": what.subject["run_id"], "parent_run_id": what.run["run_id"]}
        task = {"task": {"task_key": what.task.key}}
    return {"event_type": event_type, "workspace_id": WORKSPACE_ID, **task, "run": run, "job": job}


def _post(payload: dict[str, Any], url: str, timeout: float) -> None:
    """POST *payload* as JSON to *url*; any answer except 2xx is a failure, including a redirect."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    body = json.dumps(payload, ensure_ascii=False).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout):
            return
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"webhook at {host}: {_reason(error)}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: a webhook that moved must be reconfigured, so its messages do not go anywhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"answered {error.code} {error.reason}"
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    return str(error) or type(error).__name__
