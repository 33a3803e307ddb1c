"""The outbox: files that sort by time, are unique across processes, and are readable for people and for the verb."""

import json
import subprocess
import sys
import tempfile
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notification_runs import HOOK

from lakelocal.cli.main import main
from lakelocal.errors import ProjectError, UsageError
from lakelocal.notifications.channels.email import Email
from lakelocal.notifications.channels.webhook import WebhookCall
from lakelocal.notifications.outbox import DELIVERED, KEPT, Outbox, time_of, undelivered

EMAIL = Email("jobs.on_failure", ("a@example.com", "b@example.com"), "Failed: Daily", "plain\n", "<p>rich</p>")
CALL = WebhookCall("jobs.on_start", (HOOK,), "Started: Daily", {"event_type": "jobs.on_start", "run": {"run_id": 1}})


def test_an_email_is_a_file_that_mail_programs_read(tmp_path: Path) -> None:
    """With a text and an HTML part."""
    id_ = Outbox(tmp_path, "jobs@example.com").put(EMAIL, KEPT)

    found = message_from_bytes((tmp_path / f"{id_}.eml").read_bytes(), policy=policy.default)

    assert (found["From"], found["To"]) == ("jobs@example.com", "a@example.com, b@example.com")
    assert (found["Subject"], found["X-Event-Type"], found["X-Delivery"]) == ("Failed: Daily", "jobs.on_failure", KEPT)
    assert found["Date"].datetime.strftime("%Y%m%dT%H%M%S") == id_[:15]
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content() for part in found.iter_parts()] == ["plain\n", "<p>rich</p>\n"]


def test_a_call_is_a_file_with_its_payload(tmp_path: Path) -> None:
    """What a POST sends is under `payload`, in full."""
    id_ = Outbox(tmp_path).put(CALL, KEPT)

    assert json.loads((tmp_path / f"{id_}.json").read_text(encoding="utf-8")) == {
        "event_type": "jobs.on_start",
        "to": HOOK,
        "subject": "Started: Daily",
        "delivery": "kept",
        "payload": {"event_type": "jobs.on_start", "run": {"run_id": 1}},
    }


def test_the_messages_since_a_moment_are_counted_without_reading_them(tmp_path: Path) -> None:
    """A run counts its own at its end, whatever older files hold; the moment itself counts."""
    outbox = Outbox(tmp_path)
    ids = [outbox.put(EMAIL, KEPT) for _ in range(5)]
    for id_ in ids:
        (tmp_path / f"{id_}.eml").write_text("no message")

    assert [outbox.count_since(time_of(id_)) for id_ in ids] == [5, 4, 3, 2, 1]
    assert Outbox(tmp_path / "none").count_since(time_of(ids[0])) == 0


def test_messages_are_read_back_newest_first(tmp_path: Path) -> None:
    """Names sort by time, even if messages follow within a microsecond."""
    outbox = Outbox(tmp_path)
    ids = [outbox.put(message, KEPT) for message in (EMAIL, CALL) * 50]

    found = outbox.entries()

    assert [entry.id for entry in found] == sorted(set(ids), reverse=True)
    assert [entry.id for entry in found] == ids[::-1]
    newest, before = found[:2]
    assert (newest.event_type, newest.to, newest.subject) == ("jobs.on_start", (HOOK,), "Started: Daily")
    assert json.loads(newest.body) == CALL.payload
    assert (before.to, before.subject, before.body) == (EMAIL.to, EMAIL.subject, "plain\n")
    assert [entry.id for entry in outbox.entries(3)] == ids[:-4:-1]


def test_processes_share_an_outbox(tmp_path: Path) -> None:
    """Each writes under its own names."""
    code = (
        "import sys; from pathlib import Path; from lakelocal.notifications.channels.webhook import WebhookCall\n"
        "from lakelocal.notifications.outbox import Outbox\n"
        "for n in range(100): Outbox(Path(sys.argv[1])).put(WebhookCall('jobs.on_start', ('x',), 's', {}), 'kept')"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]

    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(Outbox(tmp_path).entries()) == 200


@pytest.mark.parametrize("message", [EMAIL, CALL], ids=["email", "call"])
def test_a_delivery_is_marked_in_the_message(tmp_path: Path, message: Email | WebhookCall) -> None:
    """The rest of it is kept, and so is its name."""
    outbox = Outbox(tmp_path)
    id_ = outbox.put(message, undelivered("not yet"))
    before = outbox.entry(id_)

    outbox.write(id_, message, DELIVERED)

    after = outbox.entry(id_)
    assert (before.delivery, after.delivery) == ("undelivered: not yet", "delivered")
    assert (after.subject, after.body, after.time) == (before.subject, before.body, before.time)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "address", ["${resources.x}", "no address", "jürgen@müller.example", '"a b"@example.com', "a@[", "<", "(x", "a@b@c"]
)
def test_an_address_of_any_kind_can_be_kept(tmp_path: Path, address: str) -> None:
    """A wrong address is visible in the outbox; it fails no run, and the others still get the message."""
    outbox = Outbox(tmp_path)
    email = Email("jobs.on_start", ("a@example.com", address), "Início: relatório", "é\n", "<p>é</p>")
    id_ = outbox.put(email, undelivered("é\nx"))

    entry = outbox.entry(id_)

    assert entry.to == ("a@example.com", address)
    assert (entry.body, entry.delivery) == ("é\n", "undelivered: é x")
    assert "a@example.com" in message_from_bytes(entry.file.read_bytes(), policy=policy.default)["To"]


_words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=100)
_texts = st.lists(_words, min_size=1, max_size=20).map(" ".join)


_addresses = st.lists(_words.filter(lambda text: "," not in text), min_size=1, max_size=10)


@settings(max_examples=100, deadline=None)
@given(addresses=_addresses, subject=_texts, why=_texts)
def test_long_headers_come_back_as_they_were(addresses: list[str], subject: str, why: str) -> None:
    """Mail folds and encodes them."""
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder))
        entry = outbox.entry(outbox.put(Email("jobs.on_start", tuple(addresses), subject, "", ""), undelivered(why)))

    assert (entry.to, entry.subject, entry.delivery) == (tuple(addresses), subject, f"undelivered: {why}")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The engine shows the error, and the run continues."""
    (tmp_path / "outbox").write_text("in the way")

    with pytest.raises(ProjectError, match=r"outbox`: cannot be written \("):
        Outbox(tmp_path / "outbox").put(CALL, KEPT)


def test_a_file_that_is_no_message_is_named(tmp_path: Path) -> None:
    """It is not ignored silently; files with other names do not belong to the outbox."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "20260102T030405000001Z-1.json").write_text("{}")

    with pytest.raises(ProjectError, match=r"20260102T030405000001Z-1\.json`: found no message"):
        Outbox(tmp_path).entries()


def test_an_id_may_be_shortened_as_long_as_it_is_one(tmp_path: Path) -> None:
    """Like commits in git; the newest has a name."""
    outbox = Outbox(tmp_path)
    first, second = outbox.put(CALL, KEPT), outbox.put(EMAIL, KEPT)

    assert outbox.entry(second[:-1]).id == second
    assert outbox.entry("latest").id == max(first, second)
    with pytest.raises(UsageError, match=rf"found 2 messages whose id begins with `{first[:4]}`"):
        outbox.entry(first[:4])
    with pytest.raises(UsageError, match="found no messages whose id begins with `x`"):
        outbox.entry("x")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """A bundle with two targets; the outbox of the second."""
    (tmp_path / "databricks.yml").write_text(
        "bundle: {name: b}\nvariables: {catalog: {default: dev}}\n"
        "targets: {dev: {default: true}, prod: {variables: {catalog: main}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOCAL_STATE", raising=False)
    monkeypatch.delenv("LOCAL_PROJECT", raising=False)
    return Outbox(tmp_path / ".local" / "main" / "outbox")


def test_the_verb_lists_a_targets_messages(project: Outbox, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON with all fields; without messages, it says where it looked."""
    ids = [project.put(message, KEPT) for message in (EMAIL, CALL)]

    assert main(["outbox", "--target", "prod", "--json"]) == 0
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (newest["id"], oldest["id"]) == (ids[1], ids[0])
    assert {name: oldest[name] for name in ("event_type", "to", "subject", "delivery")} == {
        "event_type": "jobs.on_failure",
        "to": ["a@example.com", "b@example.com"],
        "subject": "Failed: Daily",
        "delivery": "kept",
    }
    assert oldest["time"].replace("-", "").replace(":", "").replace(".", "") == ids[0].split("-")[0]
    assert oldest["file"].endswith(f"{ids[0]}.eml")

    assert main(["outbox", "--target", "prod"]) == 0
    printed = capsys.readouterr().out
    assert all(text in printed for text in (*ids, "on_failure", "b@example.com", "Failed: Daily"))

    assert main(["outbox"]) == 0
    assert "no messages in" in capsys.readouterr().out


@pytest.mark.parametrize("order", [["--target", "prod", "show"], ["show", "--target", "prod"]])
def test_the_verb_shows_one(project: Outbox, capsys: pytest.CaptureFixture[str], order: list[str]) -> None:
    """The target may be on either side."""
    id_ = project.put(EMAIL, KEPT)

    assert main(["outbox", *order, id_]) == 0

    printed = capsys.readouterr().out
    assert "To:       a@example.com, b@example.com\nSubject:  Failed: Daily\nDelivery: kept\n" in printed
    assert printed.endswith("\n\nplain\n")


def test_the_verb_refuses_an_unknown_id(project: Outbox, capsys: pytest.CaptureFixture[str]) -> None:
    """As wrong usage."""
    assert main(["outbox", "show", "x"]) == 2
    assert "whose id begins with `x`; expected one. See the ids" in capsys.readouterr().err
