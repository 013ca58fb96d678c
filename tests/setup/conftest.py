"""A world in which every package has had a newer release since, and each of them breaks what imports it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest

VERSION = "99999"


@dataclass
class World:
    """The address of the index, the packages asked for, and the poisoned files that were fetched."""

    url: str = ""
    asked: set[str] = field(default_factory=set)
    touched: list[str] = field(default_factory=list)


def real_index() -> str:
    """Return the address of the index that pip uses on this machine."""
    command = [sys.executable, "-m", "pip", "install", "--help"]
    text = " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    (address,) = re.findall(r"Base URL of the Python Package Index \(default (\S+?)\)", text)
    return address.rstrip("/") + "/"


def poisoned_wheel(name: str) -> bytes:
    """Return a release of the package `name` that raises when it is imported."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{VERSION}.dist-info"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr(f"{module}.py", f"raise RuntimeError('{name} {VERSION} was installed')\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{info}/RECORD", f"{module}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return archive.getvalue()


@pytest.fixture(scope="session")
def index() -> Iterator[World]:
    """Serve the real index page of each package with one more release on it."""
    world, source = World(), real_index()

    @cache
    def page(name: str) -> bytes:
        address = f"{source}{name}/"
        with urlopen(address, timeout=60) as answer:
            links = answer.read().decode()
        links = re.sub(r'href="([^"]*)"', lambda link: f'href="{urljoin(address, link[1])}"', links)
        file = f"{name.replace('-', '_')}-{VERSION}-py3-none-any.whl"
        return links.replace("</body>", f'<a href="{world.url}/{name}/{file}">{file}</a></body>').encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, _, file = self.path.strip("/").partition("/")
            if file:
                world.touched.append(file)
            world.asked.add(name)
            content = poisoned_wheel(name) if file else page(name)
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if file else "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        world.url = f"http://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield world
        server.shutdown()
        thread.join()


@pytest.fixture
def world(index: World) -> World:
    """Return the index with its records empty."""
    index.asked.clear()
    index.touched.clear()
    return index
