"""Decides who has access: programs with the token, and browsers in which a one-time link was opened.

- A request has to name this server as its host, so that a page whose host name was made to point here is refused (DNS
  rebinding), and it must not come from another origin.
- Endpoints of the API take the token only, which no browser sends by itself.
- Pages take the cookie, which the browser sends only for links and forms of pages of this server (SameSite); a request
  that changes something has to say that it comes from such a page (`Origin`).

Source: OWASP, "Cross-Site Request Forgery Prevention" (verifying the origin); RFC 6265bis, section 5.6.7 (SameSite).
"""

import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request

from lakelocal.errors import ProjectError
from lakelocal.program import PROGRAM
from lakelocal.workspace.errors import ApiError

COOKIE = "lakelocal"
COOKIE_SECONDS = 12 * 3600
LINK_SECONDS = 120
LOGIN = "/login"
WELL_KNOWN = "/.well-known/databricks-config"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def token_of(place: Path) -> str:
    """The token in the file *place*; if the file is absent, it is created with a new token. Only this user can read it.

    Raises:
        ProjectError: other users can read it, or it is empty.
    """
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
    if place.stat().st_mode & 0o077:
        raise ProjectError(f"`{place}`: found it readable for other users. Delete it: a new one is made at the start.")
    token = place.read_text(encoding="ascii").strip()
    if not token:
        raise ProjectError(f"`{place}`: found no token in it. Delete it: a new one is made at the start.")
    return token


@dataclass
class Gate:
    """Decides which requests are let in.

    They need *token*, or a cookie. *hosts* are the names by which clients may call this server, besides loopback names.
    """

    token: str
    hosts: Collection[str] = ()
    clock: Callable[[], float] = time.time
    _links: dict[str, float] = field(default_factory=dict)

    def check(self, request: Request) -> None:
        """Let *request* pass.

        Raises:
            ApiError: the sender is not known, or the request does not come from where it should.
        """
        self._check_host(request)
        self._check_origin(request)
        path = request.url.path
        if path in (WELL_KNOWN, LOGIN):
            return
        if is_of_api(path):
            self._check_token(request)
        else:
            self._check_cookie(request)

    def new_link(self, path: str = "/") -> str:
        """The path of a link that lets a browser in once, for a short time, and then shows *path*."""
        now = self.clock()
        self._links = {code: end for code, end in self._links.items() if end > now}
        code = secrets.token_urlsafe(24)
        self._links[code] = now + LINK_SECONDS
        return f"{LOGIN}?{urlencode({'code': code, 'next': path})}"

    def use_link(self, code: str) -> bool:
        """Use up the link with *code*; False if there is no such link, or it was used or has expired."""
        return self._links.pop(code, 0.0) > self.clock()

    def cookie(self) -> str:
        """A cookie for a browser, which stays valid when the server is restarted."""
        end = str(int(self.clock()) + COOKIE_SECONDS)
        return f"{end}.{self._signature(end)}"

    def is_cookie(self, value: str) -> bool:
        """Is *value* a cookie of this server that has not expired?"""
        end, _, signature = value.partition(".")
        is_own = hmac.compare_digest(signature.encode(), self._signature(end).encode())
        return is_own and end.isdecimal() and int(end) > self.clock()

    def _signature(self, text: str) -> str:
        return hmac.new(self.token.encode(), f"cookie {text}".encode(), hashlib.sha256).hexdigest()

    def _check_host(self, request: Request) -> None:
        named = request.headers.getlist("host")
        if len(named) != 1 or not self._is_own(f"//{named[0]}"):
            found = ", ".join(f"`{name[:80]}`" for name in named) or "none"
            expected = ", ".join(f"`{name}`" for name in ("localhost", *self.hosts))
            raise ApiError("PERMISSION_DENIED", f"Host: found {found}; expected {expected} or a loopback address.")

    def _check_origin(self, request: Request) -> None:
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        is_own = origin is None or self._is_same(origin, request)
        is_visit = request.method in SAFE_METHODS and request.headers.get("sec-fetch-mode") == "navigate"
        if not is_own or (site in ("cross-site", "same-site") and not is_visit):
            found = f"`{(origin or site or '')[:80]}`"
            raise ApiError("PERMISSION_DENIED", f"Origin: found {found}; expected a page of this server, or a program.")

    def _check_token(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            expected = "`Authorization: Bearer TOKEN`, with the token of the file that `serve` names at its start"
            raise ApiError("UNAUTHENTICATED", f"Found no token; expected {expected}.")
        if not hmac.compare_digest(given.strip().encode(), self.token.encode()):
            raise ApiError("PERMISSION_DENIED", "Invalid access token: expected that of the file that `serve` names.")

    def _check_cookie(self, request: Request) -> None:
        if not self.is_cookie(request.cookies.get(COOKIE, "")):
            raise ApiError("UNAUTHENTICATED", f"This browser is not let in. Open a page with `{PROGRAM} runs open`.")
        if request.method not in SAFE_METHODS and "origin" not in request.headers:
            raise ApiError("PERMISSION_DENIED", "Origin: found none; expected a page of this server.")

    def _is_own(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            name, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if parts.username is not None or parts.path or parts.query:
            return False
        return name in ("localhost", *self.hosts) or _is_loopback(name)

    def _is_same(self, origin: str, request: Request) -> bool:
        """Is *origin* the address by which the client called this server?"""
        return origin == f"{request.url.scheme}://{request.headers.get('host', '')}"


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_of_api(path: str) -> bool:
    """Is *path* an endpoint for programs, not a page for people?"""
    return path.startswith(("/api/", "/.well-known/")) or path == "/telemetry-ext"
