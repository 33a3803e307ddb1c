"""Who is let in: programs with the token, and browsers with a link, but nobody from another site."""

import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lakelocal.errors import ProjectError
from lakelocal.workspace.access import COOKIE_SECONDS, LINK_SECONDS, Gate, token_of
from lakelocal.workspace.workspace import Workspace

ME = "/api/2.0/preview/scim/v2/Me"


def test_what_clients_look_up_before_their_first_call_needs_no_token(stranger: TestClient) -> None:
    """Without `oidc_endpoint` and `workspace_id`, the CLI prints a warning for every command."""
    found = stranger.get("/.well-known/databricks-config").json()

    assert found["oidc_endpoint"] == "http://localhost:8080/oidc"
    assert found["workspace_id"].isdecimal()


def test_the_user_is_the_one_of_this_machine(client: TestClient) -> None:
    assert client.get(ME).json()["userName"] == "ana@example.com"


def test_telemetry_is_accepted_so_that_it_is_not_sent_again(client: TestClient) -> None:
    assert client.post("/telemetry-ext", json={"items": [], "protoLogs": ["{}", "{}"]}).json() == {
        "errors": [], "numProtoSuccess": 2
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 401, "UNAUTHENTICATED"),
        ("", 401, "UNAUTHENTICATED"),
        ("Bearer", 401, "UNAUTHENTICATED"),
        ("Bearer ", 401, "UNAUTHENTICATED"),
        ("Basic {token}", 401, "UNAUTHENTICATED"),
        ("Bearer {token}x", 403, "PERMISSION_DENIED"),
        ("Bearer caf\u00e9", 403, "PERMISSION_DENIED"),
        ("bearer {token}", 200, None),
    ],
)
def test_programs_need_the_token(
    stranger: TestClient, workspace: Workspace, header: str | None, status: int, code: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.format(token=workspace.gate.token).encode("latin-1")}
    answer = stranger.get(ME, headers=headers)

    assert (answer.status_code, answer.json().get("error_code")) == (status, code)


@pytest.mark.parametrize(
    ("host", "is_let_in"),
    [
        ("localhost", True),
        ("localhost:9999", True),  # a forwarded port
        ("127.0.0.1:8080", True),
        ("127.1.2.3", True),
        ("[::1]:8080", True),
        ("LOCALHOST:8080", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example#localhost", False),
        ("localhost@evil.example", False),
        ("user@localhost", False),
        ("192.168.0.7:8080", False),
        ("localhost/", False),
        ("[::1", False),
        ("localhost:x", False),
        ("", False),
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str, is_let_in: bool) -> None:
    """DNS rebinding: the browser sends the name of the other site as the host."""
    answer = client.get(ME, headers={"Host": host})

    assert answer.status_code == (200 if is_let_in else 403), answer.text
    assert answer.text.count("\n") <= 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8081"},  # another program of this machine
        {"Origin": "https://localhost:8080"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_sites_are_refused_even_with_the_token(client: TestClient, headers: dict[str, str], method: str) -> None:
    answer = client.request(method, ME, headers=headers)

    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert not any(name.startswith("access-control-") for name in answer.headers)


def test_a_link_lets_a_browser_in_once(stranger: TestClient, workspace: Workspace) -> None:
    assert stranger.get("/nothing").status_code == 401
    link = workspace.gate.new_link("/jobs?x=1")

    first = stranger.get(link, follow_redirects=False)
    stranger.cookies.clear()
    second = stranger.get(link, follow_redirects=False)

    assert (first.status_code, first.headers["location"], second.status_code) == (303, "/jobs?x=1", 403)
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_a_link_leads_only_to_pages_of_this_server(client: TestClient, workspace: Workspace) -> None:
    for path in ("//evil.example", "/\\evil.example", "https://evil.example", "x", "/a\r\nSet-Cookie: x"):
        made = client.post("/api/local/login-links", json={"path": path}).json()["url"]

        assert made.startswith("http://localhost:8080/login?code=")
        assert client.get(made, follow_redirects=False).headers["location"] == "/"


def test_what_changes_something_comes_from_a_page_of_this_server(stranger: TestClient, workspace: Workspace) -> None:
    """A cookie alone is not enough: the browser says where a form or a script comes from."""
    stranger.cookies.set("lakelocal", workspace.gate.cookie())

    assert stranger.get("/nothing").status_code == 404
    assert stranger.post("/nothing").status_code == 403
    assert stranger.post("/nothing", headers={"Origin": "http://evil.example"}).status_code == 403
    assert stranger.post("/nothing", headers={"Origin": "http://localhost:8080"}).status_code == 404


def test_the_cookie_of_a_browser_is_not_a_token(stranger: TestClient, workspace: Workspace) -> None:
    stranger.cookies.set("lakelocal", workspace.gate.cookie())

    assert stranger.get(ME).status_code == 401


def test_links_and_cookies_end() -> None:
    now = 1000.0
    gate = Gate("secret", clock=lambda: now)
    cookie, code = gate.cookie(), gate.new_link().split("code=")[1].split("&")[0]

    assert gate.is_cookie(cookie)
    assert not Gate("another", clock=lambda: now).is_cookie(cookie)
    assert not gate.is_cookie(cookie.replace(".", "0."))
    for wrong in ("", ".", "9999999999.", "9999999999.caf\u00e9", "x.y"):
        assert not gate.is_cookie(wrong)
    now += LINK_SECONDS + 1
    assert not gate.use_link(code)
    now += COOKIE_SECONDS
    assert not gate.is_cookie(cookie)


def test_other_users_cannot_read_the_token(tmp_path: Path) -> None:
    place = tmp_path / "token"
    old = os.umask(0)
    try:
        token = token_of(place)
    finally:
        os.umask(old)

    assert place.stat().st_mode & 0o777 == 0o600
    assert token_of(place) == token
    assert len(token) >= 40
    place.chmod(0o640)
    with pytest.raises(ProjectError, match="readable for other users"):
        token_of(place)


def test_an_endpoint_that_does_not_exist_says_so(client: TestClient) -> None:
    """Both official clients show the message, which is one line."""
    for method, path in (("GET", "/api/2.2/nix"), ("DELETE", ME), ("GET", "/api/")):
        answer = client.request(method, path)

        expected = {"error_code": "ENDPOINT_NOT_FOUND", "message": f"No API found for '{method} {path}'"}
        assert (answer.status_code, answer.json()) == (404, expected)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 100_000, "MALFORMED_REQUEST"),
        (b'{"a":' * 100_000, "MALFORMED_REQUEST"),
        (b"[]", "MALFORMED_REQUEST"),
        (b"{", "MALFORMED_REQUEST"),
        (b"\xff\xfe", "MALFORMED_REQUEST"),
        (b"{}", None),
        (b"", None),
    ],
)
def test_a_body_is_an_object_of_json(client: TestClient, body: bytes, code: str | None) -> None:
    answer = client.post("/telemetry-ext", content=body)

    assert answer.json().get("error_code") == code
    assert answer.status_code == (400 if code else 200)
    assert "\n" not in answer.text


def test_a_body_has_a_largest_size(client: TestClient) -> None:
    """Whether or not the size is announced; if it is, the body is not read at all."""

    def parts(number: int) -> object:
        yield from (b" " * 1024**2 for _ in range(number))

    told = client.post("/telemetry-ext", content=b" " * (17 * 1024**2))
    untold = client.post("/telemetry-ext", content=parts(17))

    for answer in (told, untold):
        assert (answer.status_code, answer.json()["error_code"]) == (413, "MAX_REQUEST_SIZE_EXCEEDED")
        assert answer.headers["connection"] == "close"
