"""docs/reference says what the code does."""

import re

import pytest

from make import reference


@pytest.mark.parametrize("page", reference.PAGES)
def test_page_is_what_the_code_gives(page: str) -> None:
    committed = (reference.FOLDER / page).read_text(encoding="utf-8")
    assert committed == reference.PAGES[page](), f"docs/reference/{page} is behind the code: run `make docs`"


def test_every_exported_metric_has_its_line() -> None:
    exported = reference.module("serving.observe").Metrics(lambda: 0, lambda: False).page().decode()
    page = reference.metrics()
    types = re.findall(r"^# TYPE (\w+) (\w+)$", exported, re.MULTILINE)
    assert len(types) >= 7
    assert [f"{name}: {kind}" for name, kind in types if f"| `{name}` | {kind} |" not in page] == []


def test_a_key_without_meaning_is_refused() -> None:
    schema = {"properties": {"rows": {"type": "integer"}}}
    with pytest.raises(SystemExit, match=r"^refused: config/new\.yaml: limits\.rows: it has no meaning: "):
        list(reference.keys(schema, {}, "config/new.yaml: ", "limits."))
