"""Every rule that the criteria can name has a sentence."""

import re
from pathlib import Path

import pytest

from simulation.outcome import irecist, recist
from simulation.outcome.rules import explain


def test_every_code_in_the_criteria_is_explained() -> None:
    for module in (recist, irecist):
        source = Path(str(module.__file__)).read_text()
        codes = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source)) - {"non-target", "new-lesion"}
        assert len(codes) > 10
        for code in codes:
            assert explain(code).endswith(".")


def test_composed_codes() -> None:
    assert explain("first-progression-new-lesion-and-target") == (
        "First progression, unconfirmed, by new lesion and target."
    )
    assert explain("reset-targets-gone-and-nodes-normal").endswith("This resets the unconfirmed progression.")
    assert explain("more-new-lesions-after-the-window").endswith("The scan came after the window of 4 to 8 weeks.")
    assert explain("progression-in-another-category-non-target") == (
        "Progression in a further category confirms it: non target."
    )


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError):
        explain("because")
