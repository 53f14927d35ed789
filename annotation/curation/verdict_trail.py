"""What curators said of pictures, compared with the events that carry a checksum of it."""

from collections.abc import Iterator

from annotation.assets.models import PixelVerdict
from annotation.audit.chain import AT_ONCE, Finding, batched
from annotation.audit.links import digest
from annotation.audit.models import Event
from annotation.curation.quarantine import JUDGED, MASKED, facts_of


def verify_verdicts() -> Iterator[Finding]:
    """Verdicts on pictures that were altered, added or removed: three queries for every 500."""
    rows = PixelVerdict._base_manager.select_related("asset", "replacement").order_by("pk")
    for verdicts in batched(rows.iterator(chunk_size=AT_ONCE)):
        sealed = _seals({str(verdict.asset_id) for verdict in verdicts})
        for verdict in verdicts:
            stated = sealed.get(str(verdict.pk))
            if stated is None:
                yield Finding(f"verdict {verdict.pk}", "was added past the program: no event speaks of it")
            elif stated != digest(facts_of(verdict)):
                yield Finding(f"verdict {verdict.pk}", "was altered: its seal does not fit")
    spoken = Event._base_manager.filter(verb__in=[JUDGED, MASKED]).order_by("pk")
    for events in batched(spoken.values_list("chain", "sequence", "details").iterator(chunk_size=AT_ONCE)):
        named = {details["verdict"]: (chain, number) for chain, number, details in events}
        there = {str(key) for key in PixelVerdict._base_manager.filter(pk__in=named).values_list("pk", flat=True)}
        for gone in sorted(set(named) - there):
            chain, number = named[gone]
            yield Finding(f"verdict {gone}", f"was removed; link {number} of chain {chain} speaks of it")


def _seals(assets: set[str]) -> dict[str, str]:
    """Key of a verdict → seal, from the events about these pictures."""
    events = Event._base_manager.filter(subject_id__in=assets, verb__in=[JUDGED, MASKED])
    return {details["verdict"]: details["seal"] for details in events.values_list("details", flat=True)}
