"""
nginx, the gateway in front of many servers: its pages of errors, its limits, its buffers, and its TLS.

Behind it stands a `HostileServer`; what the client meets is nginx's own.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import trustme

from fiber.testing import HostileServer
from fiber.transports.streams import tls_context
from tests.interop.installing import cache
from tests.interop.processes import HOST, free_port, running
from tests.torture.elsewhere.playing import Cell, Lane, shared, ways
from tests.torture.peers.installing import SkippedError

FORMATS = ("chat", "responses", "messages", "generate")
_PROCESSES = 4
_INSTALL_SECONDS = 120

LOCATIONS: Mapping[str, str] = {
    # Name -> what nginx does there; `{ok}` is the good server's address, and other names in braces are its faults'.
    "plain": "proxy_pass {ok}; proxy_http_version 1.1; proxy_buffering off;",
    "buffered": "proxy_pass {ok}; proxy_http_version 1.1;",
    "http10": "proxy_pass {ok}; proxy_http_version 1.0; proxy_buffering off;",
    "gzip": "proxy_pass {ok}; proxy_http_version 1.1; gzip on; gzip_types application/json text/event-stream;"
    " gzip_min_length 1; gzip_proxied any;",
    "idle": "proxy_pass {ok}; proxy_http_version 1.1; keepalive_timeout 50ms;",
    "last": "proxy_pass {ok}; proxy_http_version 1.1; keepalive_requests 1;",
    "down": "proxy_pass http://127.0.0.1:{closed}/;",
    "slow": "proxy_pass {never-headers}; proxy_read_timeout 300ms;",
    "reset": "proxy_pass {rst-before-headers}; proxy_http_version 1.1;",
    "not-http": "proxy_pass {not-http}; proxy_http_version 1.1;",
    "huge-head": "proxy_pass {huge-header}; proxy_http_version 1.1;",
    "cut": "proxy_pass {fin-mid-body}; proxy_http_version 1.1; proxy_buffering off;",
    "cut-buffered": "proxy_pass {fin-mid-body}; proxy_http_version 1.1;",
    "cut-http10": "proxy_pass {fin-mid-body}; proxy_http_version 1.0; proxy_buffering off;",
    "stalled": "proxy_pass {stall-mid-body}; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 300ms;",
    "limited": "limit_req zone=never; limit_req_status 429; proxy_pass {ok};",
    "too-large": "client_max_body_size 16; proxy_pass {ok};",
    "unauthorized": "return 401;",
    "forbidden": "return 403;",
    "nowhere": "return 404;",
    "maintenance": "return 503;",
    "maintenance-text": 'default_type text/html; return 503 "<html>Back soon.</html>";',
    "login": 'default_type text/html; return 200 "<html>Please log in.</html>";',
    "moved": "return 308 http://localhost:{port}/plain/;",
    "hung-up": "return 444;",
}
WHOLE: Mapping[str, str] = {
    "limited": "rate_limit",  # first, for after a minute one request is let through again
    **dict.fromkeys(("plain", "buffered", "http10", "gzip", "idle", "last"), "ok"),
    "down": "provider",
    "slow": "provider",
    "reset": "provider",
    "not-http": "connection|provider",  # passed on as it is: nginx takes it for HTTP/0.9
    "huge-head": "provider",
    "cut": "connection",
    "cut-buffered": "connection",
    "cut-http10": "connection|parsing",
    "stalled": "connection",
    "too-large": "bad_request",
    "unauthorized": "auth",
    "forbidden": "auth",
    "nowhere": "model_not_found|bad_request",
    "maintenance": "overloaded",
    "maintenance-text": "overloaded",
    "login": "parsing",
    "moved": "parsing|provider",
    "hung-up": "connection",
    "tls": "ok",
    "tls-expired": "connection",
    "tls-untrusted": "connection",
    "tls-wrong-host": "connection",
    "tls-asked-in-plain": "bad_request",
    "plain-asked-by-tls": "connection",
}
STREAM: Mapping[str, str] = dict.fromkeys(("cut", "cut-buffered", "cut-http10", "stalled"), "interrupted")
"""nginx ends a chunked answer that was cut behind it without its last chunk."""


@contextmanager
def rounds() -> Iterator[list[list[Lane]]]:
    """
    Start nginx.

    Raises:
        SkippedError: There is no nginx, and apt cannot fetch it.
    """
    program = _program()
    issuer = trustme.CA()
    ports = {name: free_port() for name in ("http", "tls", "tls-expired", "tls-untrusted", "tls-wrong-host")}
    with HostileServer(limit_seconds=5.0) as server, tempfile.TemporaryDirectory() as name, socket.socket() as closed:
        closed.bind((HOST, 0))  # and never listens
        folder = Path(name)
        _certify(issuer, folder)
        (folder / "nginx.conf").write_text(_configuration(server, ports, int(closed.getsockname()[1])))
        # Those who play are forked from this process, or they would not know whom to trust.
        issuer.configure_trust(tls_context())
        command = [str(program), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with running(command, ports["http"], folder, path="/health") as url:
            urllib.request.urlopen(f"{url}/limited/v1/models").close()
            yield [shared([*_cells(ports)], _PROCESSES)]


def _cells(ports: Mapping[str, int]) -> Iterator[Cell]:
    urls = {name: f"http://{HOST}:{ports['http']}/{name}" for name in LOCATIONS}
    urls |= {name: f"https://{HOST}:{port}/plain" for name, port in ports.items() if name != "http"}
    urls |= {
        "tls-asked-in-plain": f"http://{HOST}:{ports['tls']}/plain",
        "plain-asked-by-tls": f"https://{HOST}:{ports['http']}/plain",
    }
    for name, stream, world, want in ways(WHOLE, STREAM):
        for format in FORMATS:
            yield Cell(
                name=name,
                format=format,
                stream=stream,
                world=world,
                want=want,
                url=urls[name],
                text="You said: Hi",
                calls=3 if name in ("idle", "last", "tls") else 1,
            )


def _certify(issuer: trustme.CA, folder: Path) -> None:
    """Write a certificate for each port with TLS."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for name, certificate in (
        ("tls", issuer.issue_cert(HOST)),
        ("tls-expired", issuer.issue_cert(HOST, not_after=past)),
        ("tls-untrusted", trustme.CA().issue_cert(HOST)),
        ("tls-wrong-host", issuer.issue_cert("other.example.com")),
    ):
        certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / f"{name}.pem"))


def _configuration(server: HostileServer, ports: Mapping[str, int], closed: int) -> str:
    known = {fault: f"{server.url}/{fault}/" for fault in server.faults} | {"closed": closed, "port": ports["http"]}
    locations = "".join(f"    location /{name}/ {{ {what.format_map(known)} }}\n" for name, what in LOCATIONS.items())
    listening = [f"listen {HOST}:{ports['http']};"]
    listening += [
        f"listen {HOST}:{port} ssl; ssl_certificate {name}.pem; ssl_certificate_key {name}.pem;"
        for name, port in ports.items()
        if name != "http"
    ]
    servers = "".join(
        f"  server {{ {words} location = /health {{ return 200; }}\n{locations}  }}\n" for words in listening
    )
    temporary = "".join(
        f"  {name}_temp_path {name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 256; }}
http {{
  access_log off;
  lingering_timeout 1s;
{temporary}  limit_req_zone all zone=never:1m rate=1r/m;
{servers}}}
"""


def _program() -> Path:
    """Return nginx: the installed one, or Debian's or Ubuntu's, unpacked into the scratch folder."""
    if installed := shutil.which("nginx"):
        return Path(installed)
    folder = cache() / "nginx"
    program = folder / "usr" / "sbin" / "nginx"
    if not program.exists():
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            raise SkippedError("there is no nginx on the PATH, and no apt-get to fetch it")
        print("fetching nginx, a second ...", flush=True)
        folder.mkdir(exist_ok=True)
        _run(["apt-get", "download", "nginx"], folder)
        for package in folder.glob("nginx_*.deb"):
            _run(["dpkg", "-x", str(package), "."], folder)
    return program


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    if done.returncode:
        raise SkippedError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-300:]}")
