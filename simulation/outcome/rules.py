"""The rules that decide a response category, as sentences for a reader."""

from typing import Final

_SENTENCES: Final = {
    "targets-gone-and-nodes-normal": "Every target lesion is gone and every target node is below 10 mm.",
    "target-sum-20-percent-and-5-mm-above-nadir": "The target sum is at least 20 % and at least 5 mm above its nadir.",
    "target-sum-30-percent-below-baseline": "The target sum is at least 30 % below baseline.",
    "target-sum-between-response-and-progression": (
        "The target sum is neither 30 % below baseline nor 20 % and 5 mm above its nadir."
    ),
    "evaluable-targets-alone-20-percent-and-5-mm-above-nadir": (
        "Not every target was evaluable, but those that were already exceed the nadir by 20 % and 5 mm."
    ),
    "target-not-evaluable": "A target lesion was not evaluable and the others do not prove progression.",
    "reappearance-after-complete-response": "A lesion is seen again after a complete response.",
    "node-reappearance-after-complete-response": (
        "After a complete response a target node has reached 10 mm short axis again and nothing else has come back. "
        "The RECIST working group counts this as reappearance and would have such a node imaged again before "
        "recurrence is decided."
    ),
    "no-target-lesions": "There are no target lesions.",
    "unequivocal-non-target-progression": "Non-target disease progressed unequivocally.",
    "new-lesion": "There is a new lesion.",
    "targets-gone-non-target-not-evaluated": "Every target is gone, but non-target disease was not evaluated.",
    "targets-gone-non-target-persists": "Every target is gone, but non-target disease persists.",
    "targets-gone-non-target-back-after-complete-response": (
        "Every target is gone, but non-target disease is seen again after a complete response. This is progression "
        "where a lesion outside nodes came back, or a node progressed unequivocally; the reader says so by PD."
    ),
    "non-target-back-after-complete-response": (
        "Non-target disease is seen again after a complete response. This is progression where a lesion outside "
        "nodes came back, or a node progressed unequivocally; the reader says so by PD."
    ),
    "non-target-gone": "All non-target disease is gone; there are no targets.",
    "non-target-persists": "Non-target disease persists without unequivocal progression; there are no targets.",
    "non-target-not-evaluated": "There are no targets and non-target disease was not evaluated.",
    "confirmed-response": "The response was seen again after the confirmation interval.",
    "response-without-required-confirmation": "The response was seen once; confirmation is not required.",
    "unconfirmed-response-counts-as-stable": (
        "The response was not confirmed; it lasted the minimum duration of stable disease."
    ),
    "stable-for-the-minimum-duration": "Disease was stable for at least the minimum duration.",
    "stable-for-less-than-the-minimum-duration": "Disease was stable, but for less than the minimum duration.",
    "no-evaluable-visit": "No visit after baseline was evaluable.",
    "death": "Death without earlier progression.",
    "last-evaluable-visit": "No progression; censored at the last evaluable visit.",
    "after-confirmed-progression": "Progression was confirmed at an earlier visit.",
    "too-early-to-confirm": "The findings would confirm progression, but the scan came less than four weeks after it.",
    "early-scan-for-symptoms-with-more-new-lesions": (
        "An early scan for new symptoms shows additional new lesions, which confirms progression."
    ),
    "progression-without-further-growth": "Progression still stands, but without the further growth that confirms it.",
    "new-lesion-persists": (
        "The new lesion is still there without the growth that confirms progression (5 mm in sum if measurable when "
        "first seen, any if not), and the targets did not improve since."
    ),
    "known-new-lesion-persists": "The known new lesion is still there; it opens no progression again.",
    "targets-gone-known-new-lesion-persists": "Every target is gone, but a known new lesion persists.",
    "target-sum-5-mm-above-unconfirmed-progression": (
        "The target sum grew by at least 5 mm since the unconfirmed progression."
    ),
    "further-non-target-increase": "Non-target disease increased further since the unconfirmed progression.",
    "more-new-lesions": "There are more new lesions than at the unconfirmed progression.",
    "new-non-target-lesion-grew": (
        "A new lesion that was not measurable when first seen, or has no size, grew; any growth confirms."
    ),
    "new-non-target-lesion-became-measurable": (
        "A new lesion without a size at the unconfirmed progression is measurable now; any growth confirms."
    ),
    "new-lesion-sum-5-mm-above-unconfirmed-progression": (
        "The measured new lesions grew by a sum of at least 5 mm since the unconfirmed progression."
    ),
    "confirmed-progression": "Dated at the unconfirmed progression that was confirmed later.",
    "unconfirmed-progression-never-reset": "Dated at an unconfirmed progression that was never reset.",
}


def explain(rule: str) -> str:
    """Return the sentence of a rule code, composed codes of iRECIST included."""
    if rule in _SENTENCES:
        return _SENTENCES[rule]
    if rule.startswith("reset-"):
        return f"{explain(rule.removeprefix('reset-'))} This resets the unconfirmed progression."
    if rule.endswith("-after-the-window"):
        return f"{explain(rule.removesuffix('-after-the-window'))} The scan came after the window of 4 to 8 weeks."
    for prefix, sentence in (
        ("first-progression-", "First progression, unconfirmed, by"),
        ("progression-in-another-category-", "Progression in a further category confirms it:"),
    ):
        if rule.startswith(prefix):
            return f"{sentence} {rule.removeprefix(prefix).replace('-and-', ' and ').replace('-', ' ')}."
    raise KeyError(rule)
