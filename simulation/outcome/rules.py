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
    "no-target-lesions": "There are no target lesions.",
    "unequivocal-non-target-progression": "Non-target disease progressed unequivocally.",
    "new-lesion": "There is a new lesion.",
    "targets-gone-non-target-not-evaluated": "Every target is gone, but non-target disease was not evaluated.",
    "targets-gone-non-target-persists": "Every target is gone, but non-target disease persists.",
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
    "new-lesion-unchanged": "The new lesion is still there, unchanged, and the targets did not improve since.",
    "known-new-lesion-unchanged": "The known new lesion is unchanged.",
    "targets-gone-known-new-lesion-persists": "Every target is gone, but a known new lesion persists.",
    "target-sum-5-mm-above-unconfirmed-progression": (
        "The target sum grew by at least 5 mm since the unconfirmed progression."
    ),
    "further-non-target-increase": "Non-target disease increased further since the unconfirmed progression.",
    "more-new-lesions": "There are more new lesions than at the unconfirmed progression.",
    "unmeasured-new-lesion-grew": "A new lesion that is not measured grew.",
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
