"""Finding in a text the names by which a system gives itself away. Pure: texts in, places out.

Letters are compared without case, accents, and characters that do not show; between the words of a name anything that
is no letter or digit may stand, or nothing. A name counts only as a whole: "Aurora" is not found in "auroral".
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

SHORTEST = 3
MASK = "[masked]"
FAMILIES = (
    "BAGEL", "ChatGPT", "Claude", "DALL-E", "DeepSeek", "Emu3", "Flux", "Gemini", "Gemma", "GPT-4", "GPT-4o", "GPT-5",
    "Grok", "InstructPix2Pix", "Janus", "Llama", "LLaVA", "MedGemma", "Midjourney", "Mistral", "OmniGen", "Qwen",
    "Show-o", "Stable Diffusion",
)  # fmt: skip
DEVELOPERS = (
    "Alibaba", "Anthropic", "Baidu", "Black Forest Labs", "ByteDance", "DeepMind", "Google", "Hugging Face",
    "Meta AI", "Microsoft", "Mistral AI", "Moonshot AI", "NVIDIA", "OpenAI", "Stability AI", "Tencent", "Zhipu",
)  # fmt: skip
VERSION_SHORTEST = 4
GAPS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Found:
    """A name in a text: where it stands, as it is written there, and the name that was looked for."""

    start: int
    end: int
    written: str
    name: str


def names_of_system(*, name: str, slug: str, version: str) -> list[str]:
    """What gives a version of a system away: its name, short name and both with the version.

    The version alone is a name only when nobody writes it by chance: four characters, letters and digits among them.
    """
    names = [name, slug, f"{name} {version}".strip()]
    letters = [each for each in version if each.isalnum()]
    telling = any(map(str.isdigit, letters)) and any(map(str.isalpha, letters))
    return [*names, version] if telling and len(letters) >= VERSION_SHORTEST else names


def folded(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters the place in the original."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
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
    letters = GAPS.sub("", compared)
    found: list[Found] = []
    taken: set[int] = set()
    for name, spelled, pattern in _patterns(tuple(names)):
        if spelled not in letters:
            continue
        for match in pattern.finditer(compared):
            start, end = places[match.start()], places[match.end() - 1] + 1
            if taken.isdisjoint(range(start, end)):
                taken.update(range(start, end))
                found.append(Found(start, end, text[start:end], name))
    return sorted(found, key=lambda each: each.start)


@lru_cache(maxsize=256)
def _patterns(names: tuple[str, ...]) -> list[tuple[str, str, re.Pattern[str]]]:
    """Each name, the longest first, with its letters and digits alone and the pattern of how it may be written."""
    made = []
    for name in sorted({name.strip() for name in names}, key=lambda each: (-len(each), each)):
        words = [word for word in GAPS.split(folded(name)[0]) if word]
        if sum(map(len, words)) >= SHORTEST:
            pattern = r"(?<![^\W_])" + r"[\W_]*".join(map(re.escape, words)) + r"(?![^\W_])"
            made.append((name, "".join(words), re.compile(pattern)))
    return made


def masked(text: str, names: Iterable[str]) -> str:
    """The text with every such place replaced by “[masked]”."""
    parts, at = [], 0
    for each in find_names(text, names):
        parts += [text[at : each.start], MASK]
        at = each.end
    return "".join([*parts, text[at:]])
