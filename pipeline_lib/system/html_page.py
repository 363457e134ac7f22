"""Pages for people: offline, without scripts, asking nothing of anyone."""

import html
from pathlib import Path

from pipeline_lib.system.files import write_atomic

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = "body{font:15px/1.45 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#1d2129}"
_STYLE += "table{border-collapse:collapse}pre{overflow:auto}img{max-width:100%;height:auto}"


def write_page(path: Path, title: str, body: str, style: str) -> None:
    """Write one page: `title` is text, `body` HTML, `style` what it needs besides our own. Never seen half-written."""
    named = html.escape(title)
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{named}</title>'
        f"<style>{_STYLE}{style}</style></head><body><h1>{named}</h1>{body}</body></html>\n"
    )
    write_atomic(path, page.encode())
