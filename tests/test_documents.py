"""The documents: decisions are dated and indexed, and links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"
FOLDERS = ("docs", "sfu", "signaling", "turn_config", "bench", "recording")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
)

STATUS = re.compile(r"^\*20\d\d-\d\d-\d\d · (accepted|superseded)\b.*\*$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def decisions():
    return sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")


def anchors(text):
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.stem)
def test_a_decision_has_a_title_a_date_and_a_status(path):
    text = path.read_text()
    assert text.startswith("# ")
    assert STATUS.search(text)


def test_the_index_names_each_decision_once():
    indexed = re.findall(r"\]\(([^)/]+\.md)\)", (DECISIONS / "README.md").read_text())
    # Those of the page may be named together.
    expected = [path.name for path in decisions() if not path.name.startswith("web-")]
    assert sorted(name for name in indexed if not name.startswith("web-")) == expected


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    dead = []
    for target, anchor in LINK.findall(path.read_text()):
        found = path.parent / target if target else path
        if not found.exists() or (anchor and anchor not in anchors(found.read_text())):
            dead.append(f"{target}#{anchor}")
    assert dead == []
