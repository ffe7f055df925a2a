"""The reader of a document with commands: what it takes, what it refuses, what counts as seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kit.guide import Shell, read, syntax_error, unseen

EXAMPLE = """# Title
## 3. A section

<!-- only: plain -->
<!-- until seen -->
```sh
echo one
```

```text
one
```

Words.

```toml
not = "run"
```
"""


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text(EXAMPLE)
    (block,) = read(path)
    assert (block.section, block.code, block.expected) == (3, "echo one\n", ("one",))
    assert (block.only, block.until_seen) == ("plain", True)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<!-- unless: plain -->\n```sh\n```\n", id="unknown comment"),
        pytest.param("<!-- only: plain -->\nwords\n", id="comment for no block"),
        pytest.param("<!-- only: plain -->\n```toml\n```\n", id="comment for another block"),
        pytest.param("```text\none\n```\n", id="output of nothing"),
        pytest.param("```sh\n```\nwords\n```text\n```\n", id="output too far away"),
        pytest.param("```sh\necho\n", id="not closed"),
    ],
)
def test_what_would_be_left_out_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "guide.md"
    path.write_text(text)
    with pytest.raises(ValueError):
        read(path)


def test_seeing() -> None:
    assert unseen(("a b", "d"), "x a\n  b c\nd") is None
    assert unseen(("d", "a b"), "x a\n  b c\nd") == "a b", "in this order"
    assert unseen(("count: …3",), "count:   1 2 3") is None
    assert unseen(("count: …4",), "count: 1 2 3") == "count: …4"


def test_shell(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"]}
    with Shell(tmp_path / "shell", environment, tmp_path) as shell:
        assert shell.run("read -r A\n", types="typed") == ""
        assert shell.run('echo "$A"; pwd\n') == f"typed\n{tmp_path}\n"
        for wrong in ("false\ntrue\n", "false | true\n", "no-such-command\n", "if\n"):
            with pytest.raises(AssertionError):
                shell.run(wrong)
        assert shell.run("echo still there\n") == "still there\n"
    assert syntax_error("if\n") and not syntax_error("if true; then echo; fi\n")
