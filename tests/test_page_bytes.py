"""What the page costs on the line: its first view, and that files go out as the build compressed
them."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from monitord.api import page
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.fake_ami import FakeAmi

FIRST_VIEW_MOST = 150_000


def test_the_first_view_is_small_and_the_other_pages_come_later() -> None:
    """What index.html names is fetched at once; the font's second file only for some names."""
    html = (page.FOLDER / "index.html").read_text()
    named = [page.FOLDER / path for path in re.findall(r'(?:src|href)="/(assets/[^"]+)"', html)]
    assert {".css", ".js"} <= {p.suffix for p in named}
    fonts = list((page.FOLDER / "assets" / "app").glob("*.woff2"))
    assert fonts
    total = 0
    for path in (*named, *fonts):
        small = path.with_name(path.name + ".gz")
        assert small.exists() or path.stat().st_size < 1024 or path.suffix == ".woff2", path
        total += (small if small.exists() else path).stat().st_size
    assert total <= FIRST_VIEW_MOST, total
    later = set((page.FOLDER / "assets" / "app").glob("*Page-*.js"))
    assert later and not later & set(named)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate", "gzip"), ("gzip, br", "br"), ("identity", None), ("", None)],
)
async def test_an_asset_comes_in_the_smallest_form_that_is_taken(
    tmp_path: Path, accepted: str, encoding: str | None
) -> None:
    async with FakeAmi() as ami, daemon(Site(ami.port, "right"), tmp_path) as started:
        file = tmp_path / "page" / "assets" / "app" / "app.js"
        forms = {None: file.read_bytes(), "gzip": gzip.compress(b"small"), "br": b"the smallest"}
        file.with_name("app.js.gz").write_bytes(forms["gzip"])
        file.with_name("app.js.br").write_bytes(forms["br"])
        async with Client(started.url) as ina:
            assert await ina.sign_in("ina") == 200
            asked = {"Accept-Encoding": accepted}
            async with ina.http.get(
                "/assets/app/app.js", headers=asked, auto_decompress=False
            ) as response:
                assert response.status == 200
                assert response.headers.get("Content-Encoding") == encoding
                assert response.content_type.endswith("javascript")
                assert response.headers["Cache-Control"] == "private, no-cache"
                assert ("Vary" in response.headers) == (encoding is not None)
                assert await response.read() == forms[encoding]
