"""Model cards as JSON and as a page."""

from html.parser import HTMLParser

import pytest

from schemas.models import ModelCardRead, ModelList
from service import cards
from service.card_page import render
from service.errors import NotFound
from simulation.registry import CARDS


class Page(HTMLParser):
    """Collects tags, and checks that every element is closed in order."""

    VOID = frozenset({"meta", "circle", "path", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


def test_list_has_every_model_once() -> None:
    listed = cards.list_cards()
    assert [model.id for model in listed.models] == sorted(CARDS)
    assert ModelList.model_validate_json(listed.model_dump_json()) == listed


@pytest.mark.parametrize("model_id", sorted(CARDS))
def test_card_and_page_of_every_model(model_id: str) -> None:
    card = cards.read_card(model_id)
    assert ModelCardRead.model_validate_json(card.model_dump_json()) == card
    page = parsed(cards.page(model_id))
    assert page.tags.count("h1") == 1
    assert not {"script", "img", "iframe", "link"} & set(page.tags)
    assert all(link.startswith("https://") for link in page.links)
    text = cards.page(model_id)
    for reference in card.references:
        assert reference.doi is None or f"https://doi.org/{reference.doi.split('<')[0]}" in text


def test_page_escapes_every_text() -> None:
    card = cards.read_card("loris-pan-cancer")
    evil = '"><script>alert(1)</script>'
    reference = card.references[0].model_copy(update={"citation": evil, "doi": evil})
    hostile = card.model_copy(
        update={"title": evil, "purpose": evil, "known_failures": [evil], "references": [reference], "outcome": evil}
    )
    page = parsed(render(hostile))
    assert "script" not in page.tags


def test_page_shows_calibration_and_limits() -> None:
    text = cards.page("loris-pan-cancer")
    assert "Calibration of objective_response" in text
    assert "Known failures and limits" in text
    assert "What it leaves out" in text
    assert "GPL-3.0" in text


def test_a_model_without_validation_says_so_on_its_page() -> None:
    assert "Not validated on patients" in cards.page("loris-pan-cancer-no-tmb")


def test_unknown_model() -> None:
    with pytest.raises(NotFound):
        cards.read_card("no-such-model")
    with pytest.raises(NotFound):
        cards.page("no-such-model")
