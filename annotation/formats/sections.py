"""Sectioned report texts: the nested object is kept, the text is derived from it in one place."""

from collections.abc import Mapping

SECTION_ORDER = (
    "STUDY",
    "EXAMINATION",
    "MODALITY",
    "CLINICAL_HISTORY",
    "INDICATION",
    "HISTORY",
    "TECHNIQUE",
    "COMPARISON",
    "FINDINGS",
    "IMPRESSION",
    "RECOMMENDATION",
    "NOTIFICATION",
)
_RANK = {name: rank for rank, name in enumerate(SECTION_ORDER)}

Section = tuple[str, tuple[tuple[str, str], ...]]


def ordered_sections(sections: Mapping[str, object]) -> tuple[Section, ...]:
    """Return the sections in reading order, each with its labeled lines.

    Known headings come in the order of `SECTION_ORDER`, others after them alphabetically; case, blanks and hyphens
    of a heading do not matter for its place, and it is shown as found. Entries inside a section keep their order.

    Args:
        sections: heading to text, number, list, or an object of label to value.

    Returns:
        (heading, ((label, text), …)) per section; the label is empty where the section is one text. Entries
        without text (null, "", empty list or object) are left out, and so is a section without any entry.

    Example:
        >>> ordered_sections({"IMPRESSION": "Clear.", "FINDINGS": {"Lungs": ["Clear.", "No effusion."]}})
        (('FINDINGS', (('Lungs', 'Clear.; No effusion.'),)), ('IMPRESSION', (('', 'Clear.'),)))
    """
    found = ((heading, _entries(sections[heading])) for heading in sorted(sections, key=_place))
    return tuple((heading, entries) for heading, entries in found if entries)


def sections_text(sections: Mapping[str, object]) -> str:
    """Return the sections as plain text: heading, one line per entry, a blank line between sections.

    Lists are joined with "; ". An object without any text gives "".

    Example:
        >>> sections_text({"FINDINGS": {"Lungs": "Clear."}})
        'FINDINGS\\nLungs: Clear.'
    """
    blocks = []
    for heading, entries in ordered_sections(sections):
        lines = [f"{label}: {text}" if label else text for label, text in entries]
        blocks.append("\n".join([heading, *lines]))
    return "\n\n".join(blocks)


def _place(heading: str) -> tuple[int, str, str]:
    key = "_".join(heading.replace("-", " ").replace("_", " ").split()).upper()
    return _RANK.get(key, len(_RANK)), key, heading


def _entries(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, Mapping):
        pairs = ((str(label), flat(inner)) for label, inner in value.items())
        return tuple((label, text) for label, text in pairs if text)
    text = flat(value)
    return (("", text),) if text else ()


def flat(value: object) -> str:
    """Return one value as one text; lists and inner objects join with "; ", null is ""."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        pairs = ((str(label), flat(inner)) for label, inner in value.items())
        return "; ".join(f"{label}: {text}" for label, text in pairs if text)
    if isinstance(value, list | tuple):
        return "; ".join(text for text in map(flat, value) if text)
    return str(value)
