"""Text metrics against published sentences, NLTK, sacreBLEU and rouge-score."""

import random
import warnings

import pytest
import sacrebleu
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.registry import METRICS
from scoring.metrics.semantic.rouge import common_subsequence_length
from scoring.metrics.semantic.tokens import mteval_tokens, tokenize
from tests.scoring.metrics.recipes import SENTENCES

BLEU = {
    1: (0.5367694951, 0.8571428571, 0.1111111111),
    2: (0.4490935800, 0.7559289460, 0.0372677996),
    3: (0.3117978985, 0.6999028048, 0.0270721754),
    4: (0.1544787888, 0.6434588842, 0.0239802968),
}
OTHERS = {
    "bleu_4_13a": (0.4277327777, 0.7071067812, 0.0829519351),
    "rouge_l": (0.875, 0.8571428571, 0.4285714286),
    "token_f1": (0.75, 0.8571428571, 0.2857142857),
    "token_f1_squad": (0.875, 0.8571428571, 0.4615384615),
}
WORDS = ["no", "small", "large", "left", "right", "lung", "mass", ",", ".", "the", "of", "3.5", "non-small-cell"]


@pytest.mark.parametrize("order", BLEU)
def test_bleu_equals_the_published_sentences(order):
    metric = METRICS["bleu_4"].with_settings(order=order)

    values = [metric.function(*sentences) for sentences in SENTENCES.values()]

    assert values == pytest.approx(BLEU[order], abs=5e-11)


@pytest.mark.parametrize("code", OTHERS)
def test_other_text_metrics_equal_the_published_sentences(code):
    values = [METRICS[code].function(*sentences) for sentences in SENTENCES.values()]

    assert values == pytest.approx(OTHERS[code], abs=5e-11)


def _texts(seed: int) -> tuple[str, str]:
    draw = random.Random(seed)
    return tuple(" ".join(draw.choices(WORDS, k=draw.randint(4, 14))) for _ in range(2))


@pytest.mark.parametrize("seed", range(40))
def test_bleu_equals_nltk_and_sacrebleu_on_drawn_texts(seed):
    output, reference = _texts(seed)

    ours, ours_13a = (METRICS[code].function(output, reference) for code in ("bleu_4", "bleu_4_13a"))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sentence_bleu([reference.split()], output.split(), smoothing_function=SmoothingFunction().method1)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert ours_13a == pytest.approx(sacrebleu.sentence_bleu(output, [reference]).score / 100, abs=1e-9)


@pytest.mark.parametrize("output", ["effusion", "left effusion", "left pleural effusion", "a b c"])
def test_bleu_of_an_output_shorter_than_the_order_equals_the_libraries(output):
    reference = "small left pleural effusion today"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sentence_bleu([reference.split()], output.split(), smoothing_function=SmoothingFunction().method1)
    assert METRICS["bleu_4"].function(output, reference) == pytest.approx(theirs, abs=1e-12)
    assert METRICS["bleu_4_13a"].function(output, reference) == pytest.approx(
        sacrebleu.sentence_bleu(output, [reference]).score / 100, abs=1e-9
    )


def test_bleu_of_several_references_equals_the_libraries():
    output = "small left pleural effusion with collapse of the lung"
    references = ["small left effusion with collapse of the lung", "a small pleural effusion on the left side"]

    theirs = sentence_bleu(
        [text.split() for text in references], output.split(), smoothing_function=SmoothingFunction().method1
    )
    assert METRICS["bleu_4"].function(output, references) == pytest.approx(theirs, abs=1e-12)
    assert METRICS["bleu_4_13a"].function(output, references) == pytest.approx(
        sacrebleu.sentence_bleu(output, references).score / 100, abs=1e-9
    )


@pytest.mark.parametrize("seed", range(40))
def test_rouge_equals_rouge_score_on_drawn_texts(seed):
    output, reference = _texts(seed + 100)
    theirs = RougeScorer(["rougeL"]).score(reference, output)["rougeL"].fmeasure

    assert METRICS["rouge_l"].function(output, reference) == pytest.approx(theirs, abs=1e-12)


def test_rouge_takes_the_best_of_several_references():
    value = METRICS["rouge_l"].function("mild edema", ["no effusion", "mild edema"])

    assert value == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "3.5-mm, 1,024 non-small-cell (a) x/y & <b> &amp; &lt; 2-3; it's.",
        "a.b 3.4 ,5 end.",
        "T2: 5-\nmm\nnew line",
        "µm ½ {a} [b] ~ ^_` \\ | “q”",
        "",
    ],
)
def test_the_13a_tokenizer_equals_sacrebleu(text):
    assert mteval_tokens(text) == Tokenizer13a()(text).split()


def test_common_subsequence_of_hand_worked_sequences():
    assert common_subsequence_length("ABCBDAB", "BDCABA") == 4
    assert common_subsequence_length("", "abc") == common_subsequence_length("abc", "") == 0
    assert common_subsequence_length("a" * 100, "a" * 70) == 70


@pytest.mark.parametrize("code", ["bleu_4", "bleu_4_13a"])
@pytest.mark.parametrize("text", ["CT", "chest CT", "a chest CT"])
def test_bleu_does_not_apply_to_references_shorter_than_its_order(code, text):
    with pytest.raises(UndefinedMetricError, match="needs at least 4") as caught:
        METRICS[code].function(text, text)

    assert caught.value.reason == "not_applicable"


@pytest.mark.parametrize(("text", "expected"), [("CT", 0.1778279410), ("chest CT", 0.3162277660)])
def test_the_value_that_makes_short_references_useless_can_be_asked_for(text, expected):
    metric = METRICS["bleu_4"].with_settings(short_reference="score")

    assert metric.function(text, text) == pytest.approx(expected, abs=5e-11)


TEXT_CODES = ["bleu_4", "bleu_4_13a", "rouge_l", "token_f1", "token_f1_squad", "exact_match", "exact_match_squad"]


@pytest.mark.parametrize("code", TEXT_CODES)
@pytest.mark.parametrize("blank", ["", "  \n"])
def test_an_empty_reference_is_a_reason_and_an_empty_output_is_zero(code, blank):
    with pytest.raises(UndefinedMetricError) as caught:
        METRICS[code].function("some words of an answer", blank)

    assert caught.value.reason == "empty_reference"
    assert METRICS[code].function(blank, "four words of reference") == 0.0


@pytest.mark.parametrize("code", ["rouge_l"])
def test_text_in_another_alphabet_is_not_scored_as_zero(code):
    with pytest.raises(UndefinedMetricError) as caught:
        METRICS[code].function("右肺结节", "右肺结节")

    assert caught.value.reason == "not_applicable"


def test_composed_and_decomposed_letters_are_equal():
    assert METRICS["exact_match"].function("o\u0308dem", "\u00f6dem") == 1.0
    assert METRICS["token_f1"].function("Lungeno\u0308dem links", "lungen\u00f6dem Links") == 1.0


@pytest.mark.parametrize(
    ("output", "reference", "folded", "squad"),
    [
        ("CT", "ct", 1, 1),
        (" CT ", "CT", 1, 1),
        ("The CT.", "ct", 0, 1),
        ("MR", "CT", 0, 0),
        ("Straße", "STRASSE", 1, 0),
    ],
)
def test_exact_match_has_two_named_normalizations(output, reference, folded, squad):
    assert METRICS["exact_match"].function(output, reference) == folded
    assert METRICS["exact_match_squad"].function(output, reference) == squad


def test_token_f1_counts_repeated_words():
    assert METRICS["token_f1"].function("no no effusion", "no effusion") == pytest.approx(0.8)


def test_a_wrong_side_scores_higher_than_a_right_paraphrase():
    wrong_side, paraphrase = SENTENCES["T2"], SENTENCES["T3"]

    for code in ("bleu_4", "bleu_4_13a", "rouge_l", "token_f1"):
        assert METRICS[code].function(*wrong_side) > METRICS[code].function(*paraphrase)


@pytest.mark.parametrize(
    ("code", "setting"),
    [
        ("bleu_4", {"tokenizer": "words"}),
        ("bleu_4", {"smoothing": "none"}),
        ("bleu_4", {"short_reference": "zero"}),
        ("exact_match", {"normalization": "loose"}),
    ],
)
def test_an_unknown_setting_is_named(code, setting):
    ((name, value),) = setting.items()

    with pytest.raises(ValueError, match=f"{name} '{value}'"):
        METRICS[code].with_settings(**setting).function("a b c d", "a b c d")


def test_an_unknown_tokenizer_lists_the_known():
    with pytest.raises(ValueError, match="split, split folded, 13a, rouge, squad"):
        tokenize("a", "words")
