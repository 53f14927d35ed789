"""Identity is content: the key of an item does not depend on file, ids or layout."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from annotation.formats import ItemRecord, item_content_key, text_key

ITEM = ItemRecord(
    file="a.jsonl",
    line=1,
    layout="canonical",
    instruction="Röntgen?\nWhich side?",
    format="vqa",
    task="multiple-choice",
    reference_text="A",
    choices=("A", "B"),
    modality="xr",
    input_images=(Path("a.png"), Path("b.png")),
    reference_images=(Path("c.png"),),
)


def key(item: ItemRecord = ITEM, inputs: tuple[str, ...] = ("1", "2"), references: tuple[str, ...] = ("3",)) -> str:
    return item_content_key(item, inputs, references)


def test_the_key_is_fixed_for_all_time():
    canonical = (
        '{"choices":["A","B"],"context":[],"format":"vqa","inputs":["1","2"],'
        '"instruction":"R\u00f6ntgen?\\nWhich side?","modality":"xr","reference":"A","references":["3"],'
        '"task":"multiple-choice"}'
    )

    assert key() == hashlib.sha256(canonical.encode("utf-8")).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "b.jsonl", "line": 9, "layout": "eval_view"},
        {"aliases": (("sample_id", "x"),)},
        {"raw_terms": {"format": "VQA"}, "notes": ("no_input_image",)},
        {"source": "x", "license": "y", "redistributable": "yes", "synopsis": "z", "why_selected": "w"},
        {"declared_subtask": "a", "observed_subtask": "b", "case_key": "c", "is_fixture": True},
        {"instruction": "Ro\u0308ntgen?\r\nWhich side? "},
        {"input_images": (Path("x/y.png"), Path("z.png"))},
    ],
)
def test_what_is_not_content_does_not_enter(changes: dict[str, object]):
    assert key(dataclasses.replace(ITEM, **changes)) == key()


@pytest.mark.parametrize(
    "changes",
    [
        {"instruction": "Which side?"},
        {"instruction": "röntgen?\nWhich side?"},
        {"reference_text": "B"},
        {"choices": ("B", "A")},
        {"choices": ()},
        {"context": (("Age", "64"),)},
        {"format": "image_editing"},
        {"task": "blank-filling"},
        {"modality": "ct"},
        {"modality": None},
    ],
)
def test_every_piece_of_content_enters(changes: dict[str, object]):
    assert key(dataclasses.replace(ITEM, **changes)) != key()


def test_images_and_their_order_enter():
    assert len({key(), key(inputs=("2", "1")), key(inputs=("1", "3")), key(references=("2",))}) == 4


def test_a_number_of_digests_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="1 input digests for 2 input images"):
        key(inputs=("1",))


def test_texts_in_keys_are_composed_with_one_kind_of_line_end():
    assert text_key(" e\u0301\r\nb\rc ") == "é\nb\nc"
