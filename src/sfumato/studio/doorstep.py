"""What somebody reads who opens an address in a browser and is not let in: the page itself cannot be shown there."""

import re
from collections.abc import Mapping
from pathlib import Path

from starlette.responses import HTMLResponse, Response

from .problems import Refusal

STRINGS = Path(__file__).parent / "static" / "strings"
CODES = ("no_access", "wrong_host", "forbidden")
"""Refusals of whoever is not let in."""
PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sfumato</title>
<h1>Sfumato</h1>
<p>{words}</p>
</html>
"""
"""Nothing is loaded into it, since nothing would be sent."""


def navigates(method: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody opens an address in a browser, so that a page is what they should see."""
    shown = headers.get("sec-fetch-mode", "navigate") == "navigate"
    return method == "GET" and shown and "text/html" in headers.get("accept", "")


def page(error: Refusal, headers: Mapping[str, str]) -> Response:
    """A refusal of `CODES` as a page, in the language that the browser prefers of those that there are."""
    texts = said(f"error.{error.code}")
    wanted = re.findall(r"(?:^|,)\s*([a-z]{2})\b", headers.get("accept-language", "").lower())
    language = next((tag for tag in wanted if tag in texts), "en")
    return HTMLResponse(PAGE.format(language=language, words=texts[language]), error.status)


def said(key: str) -> dict[str, str]:
    """A text of the page in each language."""
    line = re.compile(rf'^  "{re.escape(key)}": "(.*)",$', re.MULTILINE)
    found = {path.stem: line.search(path.read_text(encoding="utf-8")) for path in STRINGS.glob("*.js")}
    return {language: match[1] for language, match in found.items() if match}
