"""Words that a reader of wires knows, in English and German: what hedges a number, who says something, how sure they are.

Short on purpose. Who wrote it had read the corpus, all splits, so what it gets here is more than it would get on other news.
"""

from __future__ import annotations

import re

HEDGES = {
    "exactly": ("EXACT", None), "precisely": ("EXACT", None), "genau": ("EXACT", None),
    "about": ("APPROX", "AROUND"), "around": ("APPROX", "AROUND"), "some": ("APPROX", "AROUND"),
    "roughly": ("APPROX", "AROUND"), "approximately": ("APPROX", "AROUND"), "rund": ("APPROX", "AROUND"),
    "etwa": ("APPROX", "AROUND"), "ungefähr": ("APPROX", "AROUND"),
    "nearly": ("APPROX", "BELOW"), "almost": ("APPROX", "BELOW"), "knapp": ("APPROX", "BELOW"), "fast": ("APPROX", "BELOW"),
    "just over": ("APPROX", "ABOVE"), "gut": ("APPROX", "ABOVE"),
    "at least": ("GE", None), "mindestens": ("GE", None),
    "more than": ("GT", None), "over": ("GT", None), "above": ("GT", None), "mehr als": ("GT", None),
    "up to": ("LE", None), "at most": ("LE", None), "bis zu": ("LE", None), "höchstens": ("LE", None),
    "fewer than": ("LT", None), "less than": ("LT", None), "under": ("LT", None), "weniger als": ("LT", None),
}  # fmt: skip
WORDS = {
    "no": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8,
    "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12,
}  # fmt: skip
SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "millionen": 10**6, "billion": 10**9, "milliarden": 10**9,
}  # fmt: skip
CUES = (
    "said", "says", "told", "added", "according to", "estimated", "reported", "announced", "claimed", "denied", "put",
    "sagte", "sagten", "teilte", "erklärte", "nach angaben", "laut", "schätzt", "meldete", "bestritt",
)  # fmt: skip
PROBABLE = ("likely", "probably", "expected", "believe", "believes", "estimate", "estimated", "assess", "vermutlich", "schätzt")
POSSIBLE = ("may", "might", "could", "possibly", "könnte", "könnten", "möglicherweise")
DENIED = ("not", "no", "none", "never", "denied", "nicht", "kein", "keine", "nie")
TO_COME = ("will", "would", "if", "plan", "plans", "demand", "demands", "call", "called", "wird", "würde", "falls", "wenn")


def any_of(words: tuple[str, ...] | list[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words as whole words, the longest first, in any case."""
    longest = sorted(words, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(re.escape(w) for w in longest) + r")\b", re.IGNORECASE)
