"""Say in each page's footer when and with what its numbers were verified.

Run as a program, after every notebook has passed, it records the fact in `_build/verified.json`. As a Sphinx
extension it puts the stamp into the finished pages, not into Sphinx's context: pages that Sphinx does not
write again get the new stamp too, and a new stamp makes no page outdated.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

PACKAGES = ("numpy", "scipy", "matplotlib")
RECORD = Path("_build", "verified.json")
PLACE = re.compile(r'(<p class="stamp">).*?(</p>)', re.DOTALL)


def git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, None where there is no git or no history."""
    try:
        run = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return run.stdout.strip()


def pinned(root: Path) -> dict[str, str]:
    """Return the versions that requirements.txt pins."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8")
    return {name: re.findall(rf"^{name}==(\S+)", lines, re.MULTILINE)[0] for name in PACKAGES}


def record(root: Path) -> None:
    """Note that the notebooks in the folder `root` have passed, at which commit and with which versions."""
    today = datetime.date.today().isoformat()
    facts = {"date": today, "commit": git(root, "rev-parse", "HEAD")} | {p: version(p) for p in PACKAGES}
    (root / RECORD).parent.mkdir(exist_ok=True)
    (root / RECORD).write_text(json.dumps(facts), encoding="utf-8")


def sentence(root: Path) -> str:
    """Return the stamp of the book in the folder `root`."""
    history = git(root, "log", "-1", "--format=%H %cs")
    if history is None:
        return "not verified: no version history here"
    commit, date = history.split()
    record = root / RECORD
    verified = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    current = (
        bool(verified) and commit.startswith(verified["commit"]) and not git(root, "status", "--porcelain")
    )
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
        new = PLACE.sub(rf"\g<1>{text}\g<2>", old)
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
