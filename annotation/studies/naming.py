"""Finding in a text the names by which a system gives itself away. Pure: texts in, places out.

Letters are compared without case, accents, and characters that do not show; between the words of a name anything that
is no letter or digit may stand, or nothing. A name counts only as a whole: "Aurora" is not found in "auroral".
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

SHORTEST = 3
MASK = "[masked]"
FAMILIES = (
    "BAGEL", "ChatGPT", "Claude", "DALL-E", "DeepSeek", "Emu3", "Flux", "Gemini", "Gemma", "GPT-4", "GPT-4o", "GPT-5",
    "Grok", "InstructPix2Pix", "Janus", "Llama", "LLaVA", "MedGemma", "Midjourney", "Mistral", "OmniGen", "Qwen",
    "Show-o", "Stable Diffusion",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A name in a text: where it stands, as it is written there, and the name that was looked for."""

    start: int
    end: int
    written: str
    name: str


def folded(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters the place in the original."""
    letters, places = [], []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character):
            if unicodedata.category(part) not in {"Mn", "Me", "Cf"}:
                for letter in part.casefold():
                    letters.append(letter)
                    places.append(place)
    return "".join(letters), places


def find_names(text: str, names: Iterable[str]) -> list[Found]:
    """Every place at which one of the names stands, in order, without overlaps; the longest name wins.

    Names of fewer than three letters and digits are not looked for: they stand in every text.
    """
    compared, places = folded(text)
    found: list[Found] = []
    taken: set[int] = set()
    for name in sorted({name.strip() for name in names}, key=lambda each: (-len(each), each)):
        words = re.findall(r"[^\W_]+", folded(name)[0])
        if sum(map(len, words)) < SHORTEST:
            continue
        pattern = r"(?<![^\W_])" + r"[\W_]*".join(map(re.escape, words)) + r"(?![^\W_])"
        for match in re.finditer(pattern, compared):
            start, end = places[match.start()], places[match.end() - 1] + 1
            if taken.isdisjoint(range(start, end)):
                taken.update(range(start, end))
                found.append(Found(start, end, text[start:end], name))
    return sorted(found, key=lambda each: each.start)


def masked(text: str, names: Iterable[str]) -> str:
    """The text with every such place replaced by “[masked]”."""
    parts, at = [], 0
    for each in find_names(text, names):
        parts += [text[at : each.start], MASK]
        at = each.end
    return "".join([*parts, text[at:]])
