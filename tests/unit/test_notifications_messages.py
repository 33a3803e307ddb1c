"""The contents of a message: the e-mail's text and HTML, and the payload of a webhook."""

import pytest
from notification_runs import HOOK, MAIL, START_MS, attempt_of, job_of, run_of, settings_of

from lakelocal.lakeflow.model import Job
from lakelocal.notifications.channels.email import Email
from lakelocal.notifications.channels.webhook import WebhookCall
from lakelocal.notifications.messages import messages
from lakelocal.notifications.occasion import Occasion
from lakelocal.program import PROGRAM

SLOW = {"health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]}}


def told(what: Occasion) -> tuple[Email, WebhookCall]:
    """The e-mail and the call that *what* causes."""
    email, call = messages(what)
    assert isinstance(email, Email) and isinstance(call, WebhookCall)
    return email, call


def lines(email: Email) -> dict[str, str]:
    """The labelled lines of the text."""
    pairs = (line.partition(":") for line in email.text.splitlines()[2:] if ":" in line)
    return {label: value.strip() for label, _, value in pairs}


def test_the_payload_of_a_job_is_that_of_databricks() -> None:
    """Its documentation shows exactly these fields."""
    what = Occasion("on_failure", job_of(settings_of("on_failure")), run_of("FAILED"), at=START_MS)

    assert told(what)[1] == WebhookCall(
        "jobs.on_failure",
        (HOOK,),
        "Failed: Daily <orders> (run 12)",
        {
            "event_type": "jobs.on_failure",
            "workspace_id": 0,
            "run": {"run_id": 12},
            "job": {"job_id": 4711, "name": "Daily <orders>"},
        },
    )


def test_the_payload_of_a_task_names_the_task_and_both_runs() -> None:
    """`run_id` is the attempt's, `parent_run_id` the job's."""
    job = job_of({}, settings_of("on_success"))
    what = Occasion("on_success", job, run_of(), START_MS, task=job.tasks[0], attempt=attempt_of(1, "SUCCESS"))

    assert told(what)[1].payload == {
        "event_type": "jobs.on_success",
        "workspace_id": 0,
        "task": {"task_key": "bronze"},
        "run": {"run_id": 21, "parent_run_id": 12},
        "job": {"job_id": 4711, "name": "Daily <orders>"},
    }


def test_an_email_says_what_ran_how_it_ended_and_how_to_look() -> None:
    """Everything that a reader needs who sees nothing else."""
    run = run_of("FAILED", "INTERNAL_ERROR", "Task bronze failed with message: Workload failed.")
    what = Occasion("on_failure", job_of({**settings_of("on_failure"), **SLOW}), run, at=START_MS + 70_000)

    email = told(what)[0]

    assert (email.event_type, email.to, email.subject) == (
        "jobs.on_failure",
        (MAIL,),
        "Failed: Daily <orders> (run 12)",
    )
    assert email.text.splitlines()[0] == email.subject
    assert lines(email) == {
        "Job": "Daily <orders>",
        "Run": "12",
        "Target": "prod",
        "Result": "FAILED",
        "Message": "Task bronze failed with message: Workload failed.",
        "Expected": "at most 0:01:00",
        "Started": "2026-01-02 03:04:05 UTC",
        "Duration": "0:01:05",
        "Look": f"{PROGRAM} runs open 12 --target prod",
    }


def test_an_email_of_an_attempt_names_it_and_its_notebook() -> None:
    """It also says whether another attempt follows; run and attempt have their own times."""
    job = job_of({}, settings_of("on_failure"))
    attempt = attempt_of(
        1, "FAILED", error="ValueError: no rows (cell 4)", output_notebook="/state/runs/12/bronze.ipynb"
    )
    what = Occasion("on_failure", job, run_of(), START_MS, task=job.tasks[0], attempt=attempt, last=False)

    email = told(what)[0]

    assert email.subject == "Failed: Daily <orders>, task bronze, attempt 2 (run 12)"
    assert lines(email) == {
        "Job": "Daily <orders>",
        "Task": "bronze",
        "Attempt": "2 (run 21, another follows)",
        "Run": "12",
        "Target": "prod",
        "Result": "FAILED",
        "Error": "ValueError: no rows (cell 4)",
        "Started": "2026-01-02 03:04:05 UTC",
        "Duration": "0:01:05",
        "Notebook": "/state/runs/12/bronze.ipynb",
        "Look": f"{PROGRAM} runs open 12 --target prod",
    }


def test_the_reason_of_a_failure_is_in_the_subject_and_comes_first() -> None:
    """A reader of only the subject knows what happened; the commands to continue, and where, are the last lines."""
    reason = "run_main > silver: ValueError: no rows (cell 4)"
    run = {**run_of("FAILED", "INTERNAL_ERROR", "Task run_main failed."), "reason": reason}
    what = Occasion("on_failure", job_of(settings_of("on_failure")), run, at=START_MS, folder="/home/ana/shop")
    long = Occasion("on_failure", job_of(settings_of("on_failure")), {**run, "reason": "x" * 500}, at=START_MS)

    email = told(what)[0]

    assert email.subject == f"Failed: Daily <orders> (run 12): {reason}"
    assert next(iter(lines(email).items())) == ("Reason", reason)
    assert list(lines(email).items())[-3:] == [
        ("Folder", "/home/ana/shop"),
        ("Look", f"{PROGRAM} runs open 12 --target prod"),
        ("Repair", f"{PROGRAM} runs repair 12 --target prod"),
    ]
    assert len(told(long)[0].subject) < 200


def test_the_html_says_the_same_and_escapes_it() -> None:
    """Names and error messages may contain anything."""
    run = run_of("FAILED", message="found <b> & </b>")
    what = Occasion("on_failure", job_of(settings_of("on_failure")), run, at=START_MS)

    email = told(what)[0]

    assert "<h3>Failed: Daily &lt;orders&gt; (run 12)</h3>" in email.html
    assert "<pre>found &lt;b&gt; &amp; &lt;/b&gt;</pre>" in email.html
    assert "<b>" not in email.html


@pytest.mark.parametrize(
    ("event", "result", "life_cycle", "headline"),
    [
        ("on_start", "", "RUNNING", "Started"),
        ("on_success", "SUCCESS", "TERMINATED", "Succeeded"),
        ("on_success", "SUCCESS_WITH_FAILURES", "TERMINATED", "Succeeded with failures"),
        ("on_failure", "FAILED", "INTERNAL_ERROR", "Failed"),
        ("on_failure", "TIMEDOUT", "TERMINATED", "Timed out"),
        ("on_failure", "CANCELED", "TERMINATED", "Canceled"),
        ("on_failure", "MAXIMUM_CONCURRENT_RUNS_REACHED", "SKIPPED", "Skipped"),
        ("on_failure", "", "INTERNAL_ERROR", "Failed"),
        ("on_duration_warning_threshold_exceeded", "", "RUNNING", "Longer than 0:01:00"),
    ],
)
def test_the_subject_says_what_happened(event: str, result: str, life_cycle: str, headline: str) -> None:
    """One headline per event and ending."""
    job = job_of({**settings_of(event), **SLOW})
    what = Occasion(event, job, run_of(result, life_cycle), at=START_MS)

    assert [message.subject for message in messages(what)] == [f"{headline}: Daily <orders> (run 12)"] * 2


def test_a_warning_says_how_long_the_run_takes_so_far() -> None:
    """It has no end yet."""
    job = job_of({**settings_of("on_duration_warning_threshold_exceeded"), **SLOW})
    what = Occasion(
        "on_duration_warning_threshold_exceeded", job, run_of(life_cycle="RUNNING"), at=START_MS + 3_661_000
    )

    found = lines(told(what)[0])

    assert (found["Expected"], found["Duration"], found["Result"]) == ("at most 0:01:00", "1:01:01 so far", "RUNNING")


def test_a_skipped_run_has_no_times() -> None:
    """It never began."""
    run = run_of("MAXIMUM_CONCURRENT_RUNS_REACHED", "SKIPPED")
    what = Occasion("on_failure", job_of(settings_of("on_failure")), run, at=START_MS)

    assert lines(told(what)[0]).keys() == {"Job", "Run", "Target", "Result", "Look"}


def test_a_message_of_several_lines_stays_together() -> None:
    """Under its label."""
    run = run_of("FAILED", message="first\nsecond")
    what = Occasion("on_failure", job_of(settings_of("on_failure")), run, at=START_MS)

    assert "Message:  first\n          second\n" in told(what)[0].text


def test_the_subject_is_one_line() -> None:
    """Whatever the job's name contains: it becomes a header."""
    job = Job("daily", 4711, "Daily\r\nBcc: x@example.com\u2028end", settings_of("on_start"), ())
    what = Occasion("on_start", job, run_of(life_cycle="RUNNING"), at=START_MS)

    assert told(what)[0].subject == "Started: Daily Bcc: x@example.com end (run 12)"
