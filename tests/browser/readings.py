"""The readings of one person, read ahead without opening them in a window."""

from typing import Any

from playwright.sync_api import APIRequestContext

STUDY = "demo-reading"
VQA, EDIT, GENERATION = "vqa", "image_editing", "multimodal_generation"


class Readings:
    """Walks `next` from the first pending reading; every reading is asked for once."""

    def __init__(self, request: APIRequestContext) -> None:
        self.request = request
        self.known: list[dict[str, Any]] = []

    def find(self, format_code: str, *, task: str = "", modality: str = "") -> dict[str, Any]:
        """The first reading of a format, task and modality.

        Raises:
            LookupError: the demo has none.
        """
        wanted = {"format": format_code, "task": task, "modality": modality}
        place = 0
        while (reading := self._at(place)) is not None:
            item = reading["item"]
            if all(not code or item[name]["code"] == code for name, code in wanted.items()):
                return reading
            place += 1
        raise LookupError(f"no reading of {wanted}")

    def first(self, count: int) -> list[dict[str, Any]]:
        return [reading for place in range(count) if (reading := self._at(place)) is not None]

    def header(self, url: str) -> dict[str, Any]:
        """What the viewer knows of one picture."""
        answer = self.request.get(url)
        assert answer.ok, f"{url}: {answer.status}"
        return dict(answer.json())

    def _at(self, place: int) -> dict[str, Any] | None:
        while len(self.known) <= place:
            url = self.known[-1]["urls"]["next"] if self.known else self._first()
            answer = self.request.get(url) if url else None
            reading = answer.json() if answer else None
            if reading is None or any(reading["id"] == each["id"] for each in self.known):
                return None
            self.known.append(reading)
        return self.known[place]

    def _first(self) -> str:
        answer = self.request.get(f"/studies/{STUDY}/read/")
        assert answer.ok, answer.status
        return f"{answer.url}reading.json"
