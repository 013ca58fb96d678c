"""Say in each page's footer when and with what its numbers were verified.

Run as a program, after every notebook has passed, it records the fact in `_build/verified.json`. As a Sphinx
extension it puts the stamp into the finished pages, not into Sphinx's context: pages that Sphinx does not
write again get the new stamp too, and a new stamp makes no page outdated.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

PACKAGES = ("numpy", "scipy", "matplotlib")
RECORD = Path("_build", "verified.json")
PATIENCE = 60  # seconds for git to answer
PLACE = re.compile(r'(<p class="stamp">).*?(</p>)', re.DOTALL)


def environment(root: Path) -> dict[str, str]:
    """Return the variables under which git sees the folder `root` and none of the user's settings.

    In a hook, GIT_DIR leads to another repository. A folder of another owner is safe enough for git where its
    code is about to run anyhow.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings = dict.fromkeys(("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME"), os.devnull)
    settings |= dict.fromkeys(("GIT_CONFIG_NOSYSTEM", "GIT_ATTR_NOSYSTEM", "GIT_CONFIG_COUNT"), "1")
    settings |= {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(root.resolve())}
    return own | settings | {"GIT_OPTIONAL_LOCKS": "0"}


def git(root: Path, *arguments: str) -> str | None:
    """Return what git prints about the folder `root`, None where it is missing, refuses or hangs."""
    command = ["git", "-C", str(root), *arguments]
    try:
        run = subprocess.run(
            command, env=environment(root), capture_output=True, check=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(run.stdout).rstrip("\n")


def history(root: Path) -> tuple[str, str] | None:
    """Return the last commit and its date, None where `root` has no history of its own."""
    top = git(root, "rev-parse", "--show-toplevel")
    last = git(root, "log", "-1", "--format=%H %cs")
    if top is None or last is None or not root.samefile(top):
        return None
    commit, date = last.split()
    return commit, date


def pinned(root: Path) -> dict[str, str]:
    """Return the versions that requirements.txt pins."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8")
    return {name: re.findall(rf"^{name}==(\S+)", lines, re.MULTILINE)[0] for name in PACKAGES}


def record(root: Path) -> None:
    """Note that the notebooks in the folder `root` have passed, at which commit and with which versions."""
    today = datetime.date.today().isoformat()
    last = history(root) if git(root, "status", "--porcelain") == "" else None
    facts = {"date": today, "commit": last and last[0]} | {p: version(p) for p in PACKAGES}
    (root / RECORD).parent.mkdir(exist_ok=True)
    (root / RECORD).write_text(json.dumps(facts), encoding="utf-8")


def recorded(root: Path) -> dict[str, str]:
    """Return what `record` noted, nothing where it did not run, ran beside a commit or was cut short."""
    try:
        facts = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    needed = ("date", "commit", *PACKAGES)
    return facts if isinstance(facts, dict) and all(isinstance(facts.get(n), str) for n in needed) else {}


def sentence(root: Path) -> str:
    """Return the stamp of the book in the folder `root`."""
    last = history(root)
    if last is None:
        return "not verified: no version history here"
    commit, date = last
    verified = recorded(root)
    current = verified.get("commit") == commit and git(root, "status", "--porcelain") == ""
    facts = verified if current else pinned(root)
    versions = "with " + ", ".join(f"{name} {facts[name]}" for name in PACKAGES)
    if current:
        return f"verified on {verified['date']} at {commit[:7]} {versions}"
    return (
        f"not verified on this machine yet: <code>make test</code> re-runs what was stored on {date} at "
        f"{commit[:7]} {versions}"
    )


def stamp_pages(root: Path, site: Path) -> None:
    """Write the stamp of the book in `root` into every page of `site` that has a place for it."""
    text = sentence(root)
    for page in site.rglob("*.html"):
        old = page.read_text(encoding="utf-8")
        new = PLACE.sub(lambda place: place[1] + text + place[2], old)
        if new != old:
            page.write_text(new, encoding="utf-8")


def stamp(app: Sphinx, exception: Exception | None) -> None:
    """Stamp the pages of a build that has succeeded."""
    if exception is None and isinstance(app.builder, StandaloneHTMLBuilder):
        stamp_pages(Path(app.srcdir), Path(app.outdir))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to the end of the build."""
    app.connect("build-finished", stamp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    record(Path(__file__).parents[2])
