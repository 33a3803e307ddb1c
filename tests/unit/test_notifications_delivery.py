"""From the events of a run to real servers: an SMTP server and webhooks on loopback."""

import shutil
import ssl
import threading
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from notification_runs import HOOK, MAIL, attempt_of, job_of, run_of, settings_of
from notification_servers import MailServer, Webhook, certificate, serving

from lakelocal.errors import ProjectError
from lakelocal.notifications.notifier import Notifier
from lakelocal.notifications.outbox import Outbox
from lakelocal.program import PROGRAM
from lakelocal.project import State

EMAIL_ONLY = settings_of("on_failure", hooks=[])
HOOK_ONLY = settings_of("on_failure", emails=[])
FAILED = run_of("FAILED")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """The state of one catalog; no proxy is used for loopback."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return State(tmp_path, "dev", tmp_path / ".local" / "dev")


def configure(state: State, text: str) -> None:
    """Write `.local/notifications.yml`."""
    state.notifications_file.parent.mkdir(parents=True, exist_ok=True)
    state.notifications_file.write_text(text)


def tell(state: State, settings: dict[str, Any], *, times: int = 1, **how: Any) -> list[str]:
    """A run of a job with *settings* fails, *times* times; return what was reported."""
    said: list[str] = []
    with Notifier(state, say=said.append, **how) as notifier:
        for _ in range(times):
            notifier.run_event("on_failure", job_of(settings), FAILED)
    return said


def deliveries(state: State) -> list[str]:
    """The delivery of each message in the outbox, oldest first."""
    return [entry.delivery for entry in reversed(Outbox(state.outbox).entries())]


def test_without_settings_messages_are_kept(state: State) -> None:
    """No thread is started, nothing is reported, nothing is sent."""
    said: list[str] = []

    with Notifier(state, say=said.append) as notifier:
        notifier.run_event("on_failure", job_of(settings_of("on_failure")), FAILED)
        assert "notifications" not in {thread.name for thread in threading.enumerate()}

    assert (deliveries(state), said) == (["kept", "kept"], [])


def test_a_job_without_notifications_leaves_no_trace(state: State) -> None:
    """Not even a folder."""
    assert tell(state, {}) == []
    assert not state.outbox.exists()


def test_an_email_arrives(state: State) -> None:
    """At every address, as in the outbox."""
    with serving(MailServer()) as server:
        configure(state, f"smtp: {{host: localhost, port: {server.port}, tls: none, sender: jobs@example.com}}")
        said = tell(state, settings_of("on_failure", emails=["a@example.com", "b@example.com"], hooks=[]))

    (sender, recipients, content) = server.mails[0]
    mail = message_from_bytes(content, policy=policy.default)
    assert (sender, recipients) == ("jobs@example.com", ["a@example.com", "b@example.com"])
    assert (mail["From"], mail["To"]) == ("jobs@example.com", "a@example.com, b@example.com")
    assert mail["Subject"] == "Failed: Daily <orders> (run 12)"
    assert "Result:   FAILED" in mail.get_body(("plain",)).get_content()
    assert mail["X-Delivery"] is None
    assert (deliveries(state), said, len(server.mails)) == (["delivered"], [], 1)


def test_an_attempt_is_told_too(state: State) -> None:
    """As the engine reports it: the run, the attempt, and whether another follows."""
    job = job_of({}, EMAIL_ONLY)

    with Notifier(state) as notifier:
        notifier.task_event("on_failure", job, job.tasks[0], run_of(), attempt_of(0, "FAILED"), last=False)

    (entry,) = Outbox(state.outbox).entries()
    assert entry.subject == "Failed: Daily <orders>, task bronze (run 12)"
    assert "1 (run 20, another follows)" in entry.body


def test_a_user_logs_in_with_a_password_of_the_environment(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file names the variable."""
    monkeypatch.setenv("TEST_SMTP_PASSWORD", "s3cret")
    with serving(MailServer()) as server:
        smtp = f"host: localhost, port: {server.port}, tls: none, user: jobs, password_env: TEST_SMTP_PASSWORD"
        configure(state, f"smtp: {{{smtp}}}")
        tell(state, EMAIL_ONLY)

    assert (server.logins, deliveries(state)) == ([("jobs", "s3cret")], ["delivered"])


def test_a_password_that_is_not_set_is_named(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is over; the message waits in the outbox."""
    monkeypatch.delenv("TEST_SMTP_PASSWORD", raising=False)
    configure(state, "smtp: {host: localhost, user: jobs, password_env: TEST_SMTP_PASSWORD}")

    said = tell(state, EMAIL_ONLY)

    why = "SMTP server localhost:587: the environment variable `TEST_SMTP_PASSWORD` is not set"
    assert deliveries(state) == [f"undelivered: {why}"]
    assert said == [
        f"warning: notification not delivered: {why}; what is not sent stays in `{state.outbox}`. "
        f"See `{PROGRAM} outbox`."
    ]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with the program openssl")
def test_starttls_is_used_and_the_certificate_checked(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown certificate gets neither password nor message."""
    monkeypatch.setenv("TEST_SMTP_PASSWORD", "s3cret")
    file, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    with serving(MailServer(tls=context)) as server:
        configure(
            state, f"smtp: {{host: localhost, port: {server.port}, user: jobs, password_env: TEST_SMTP_PASSWORD}}"
        )
        tell(state, EMAIL_ONLY)
        assert (server.logins, server.mails) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        tell(state, EMAIL_ONLY)

    assert (server.logins, len(server.mails)) == ([("jobs", "s3cret")], 1)
    first, second = deliveries(state)
    assert "certificate verify failed" in first
    assert second == "delivered"


def test_nothing_goes_in_clear_where_tls_is_asked_for(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """`starttls` is the default; a server without it does not get a password."""
    monkeypatch.setenv("TEST_SMTP_PASSWORD", "s3cret")
    with serving(MailServer()) as server:
        configure(
            state, f"smtp: {{host: localhost, port: {server.port}, user: jobs, password_env: TEST_SMTP_PASSWORD}}"
        )
        tell(state, EMAIL_ONLY)

    assert (server.logins, server.mails) == ([], [])
    assert "STARTTLS extension not supported by server" in deliveries(state)[0]


def test_a_refused_address_is_named_and_the_others_get_the_mail(state: State) -> None:
    """The message is marked: it did not reach everyone."""
    with serving(MailServer(refused=["b@example.com"])) as server:
        configure(state, f"smtp: {{host: localhost, port: {server.port}, tls: none}}")
        tell(state, settings_of("on_failure", emails=["a@example.com", "b@example.com"], hooks=[]))
        tell(state, settings_of("on_failure", emails=["b@example.com"], hooks=[]))

    assert [recipients for _, recipients, _ in server.mails] == [["a@example.com"]]
    assert deliveries(state) == [f"undelivered: SMTP server localhost:{server.port}: refused b@example.com"] * 2


@pytest.mark.parametrize(("emails", "arrived"), [([MAIL, "${x}"], [[MAIL]]), (["${x}"], [])])
def test_what_is_no_address_is_named(state: State, emails: list[str], arrived: list[list[str]]) -> None:
    """Before a server is contacted."""
    with serving(MailServer()) as server:
        configure(state, f"smtp: {{host: localhost, port: {server.port}, tls: none}}")
        tell(state, settings_of("on_failure", emails=emails, hooks=[]))

    assert [recipients for _, recipients, _ in server.mails] == arrived
    assert deliveries(state) == ["undelivered: no e-mail address: ${x}"]


def test_a_webhook_gets_the_payload(state: State) -> None:
    """One POST per message, as JSON."""
    with serving(Webhook()) as server:
        configure(state, f"webhooks: {{{HOOK}: '{server.url}/hook?token=x'}}")
        said = tell(state, settings_of("on_failure"))

    payload = {
        "event_type": "jobs.on_failure",
        "workspace_id": 0,
        "run": {"run_id": 12},
        "job": {"job_id": 4711, "name": "Daily <orders>"},
    }
    assert server.calls == [("/hook?token=x", "application/json", payload)]
    assert (deliveries(state), said) == (["kept", "delivered"], [])


def test_a_webhook_without_a_url_is_kept(state: State) -> None:
    """Each id is configured separately."""
    with serving(Webhook()) as server:
        configure(state, f"webhooks: {{other: '{server.url}'}}")
        tell(state, HOOK_ONLY)

    assert (server.calls, deliveries(state)) == ([], ["kept"])


@pytest.mark.parametrize("status", [302, 404, 500])
def test_another_answer_than_2xx_is_a_failure(state: State, status: int) -> None:
    """A redirect is not followed; the URL's path may contain a token and is not shown."""
    with serving(Webhook(status)) as server:
        configure(state, f"webhooks: {{{HOOK}: '{server.url}/secret'}}")
        said = tell(state, HOOK_ONLY)

    host = server.url.removeprefix("http://")
    assert len(server.calls) == 1
    assert deliveries(state)[0].startswith(f"undelivered: webhook at {host}: answered {status}")
    assert "secret" not in said[0]


def test_a_failure_is_said_once_a_destination(state: State) -> None:
    """And every message is marked."""
    with serving(Webhook(500)) as broken, serving(Webhook()) as good:
        configure(state, f"webhooks: {{a: '{broken.url}', b: '{good.url}', c: '{broken.url}'}}")
        said = tell(state, settings_of("on_failure", emails=[], hooks=["a", "b", "c"]), times=3)

    assert (len(said), len(good.calls)) == (2, 3)
    assert [each.partition(":")[0] for each in deliveries(state)] == ["undelivered", "delivered", "undelivered"] * 3


def test_a_server_that_is_not_there_is_said(state: State) -> None:
    """The port was free a moment ago."""
    with serving(MailServer()) as server:
        port = server.port
    configure(state, f"smtp: {{host: localhost, port: {port}, tls: none}}")

    assert len(tell(state, EMAIL_ONLY, times=2)) == 1
    assert [each.partition("Errno")[0] for each in deliveries(state)] == [
        f"undelivered: SMTP server localhost:{port}: ["
    ] * 2


def test_a_server_that_does_not_answer_is_given_up(state: State) -> None:
    """After the timeout; the next message is tried separately."""
    with serving(MailServer()) as server:
        server.answers.clear()
        configure(state, f"{{timeout_seconds: 0.1, smtp: {{host: localhost, port: {server.port}, tls: none}}}}")
        tell(state, EMAIL_ONLY, times=2)
        server.answers.set()

    assert [each.split(": ")[0] for each in deliveries(state)] == ["undelivered"] * 2
    assert all(each.endswith("timed out") for each in deliveries(state))


def test_the_end_of_a_run_does_not_wait_for_ever(state: State) -> None:
    """What is not sent by then is reported and marked; it may still arrive while the process lives."""
    said: list[str] = []
    with serving(MailServer()) as server:
        server.answers.clear()
        configure(state, f"smtp: {{host: localhost, port: {server.port}, tls: none}}")
        with Notifier(state, say=said.append, drain_seconds=0.05) as notifier:
            for _ in range(3):
                notifier.run_event("on_failure", job_of(EMAIL_ONLY), FAILED)
            (sending,) = (thread for thread in threading.enumerate() if thread.name == "notifications")
        assert deliveries(state) == ["undelivered: not sent before the end of the run"] * 3
        assert said == [
            "warning: notifications: 3 not sent in 0.05 s; "
            f"what is not sent stays in `{state.outbox}`. See `{PROGRAM} outbox`."
        ]
        server.answers.set()
        sending.join(60)

    assert (deliveries(state), len(server.mails)) == (["delivered"] * 3, 3)


def test_runs_side_by_side_tell_one_notifier(state: State) -> None:
    """The engine calls it from several threads."""
    with serving(Webhook()) as server:
        configure(state, f"webhooks: {{{HOOK}: '{server.url}'}}")
        with Notifier(state) as notifier:
            told = [
                threading.Thread(target=notifier.run_event, args=("on_failure", job_of(HOOK_ONLY), FAILED))
                for _ in range(20)
            ]
            for thread in told:
                thread.start()
            for thread in told:
                thread.join()

    assert (deliveries(state), len(server.calls)) == (["delivered"] * 20, 20)


def test_wrong_settings_are_refused_before_anything_runs(state: State) -> None:
    """When the notifier is made."""
    configure(state, "smtp: {}")

    with pytest.raises(ProjectError, match=r"`smtp\.host`"):
        Notifier(state)
