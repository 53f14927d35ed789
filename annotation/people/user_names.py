"""Which user names may stand beside which: one script each, and none that looks like another."""

import unicodedata

# Scripts that are written together in one word; every other name keeps to one.
TOGETHER = ({"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"})
# Letters that look like Latin ones in common typefaces, lower case; from the confusables of Unicode TR 39.
_CYRILLIC = dict(zip("авеёзікмнорсстухџѕјԛԝһӏԁьгп", "abee3ikmhopcctyxusjqwhldbrn", strict=True))
_GREEK = dict(zip("αβγικνορτυχεηωζμ", "abyikvoptuxenwzu", strict=True))
_OTHER = {"ı": "i", "ɑ": "a", "ɡ": "g", "ո": "n", "օ": "o", "ս": "u", "հ": "h", "ց": "g", "զ": "q", "ⅼ": "l"}
LOOKS = _CYRILLIC | _GREEK | _OTHER


def scripts(name: str) -> set[str]:
    """The scripts of the letters of a name, as the Unicode names of its characters say them."""
    found = {unicodedata.name(letter, "UNKNOWN").split(" ")[0] for letter in name if letter.isalpha()}
    return {{"FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA"}.get(script, script) for script in found}


def is_mixed(name: str) -> bool:
    """Whether a name mixes scripts that nobody writes in one word ("аnna" with a Cyrillic а)."""
    used = scripts(name)
    return len(used) > 1 and not any(used <= together for together in TOGETHER)


def skeleton(name: str) -> str:
    """What a name looks like: equal for names that a person cannot tell apart at a glance."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(LOOKS.get(letter, letter) for letter in folded)
