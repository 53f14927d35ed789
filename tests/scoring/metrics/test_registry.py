"""The registry, its hashes, and the house rules of metrics."""

import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from scoring.metrics.base import FLAGS, REASONS, UndefinedMetricError, define, effective_settings, settings_hash
from scoring.metrics.registry import METRICS, PROFILES, applies_to, collect, find_metric

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
BUILT = ["psnr", "ssim", "ssim_gaussian", "mae", "bleu_4", "rouge_l", "token_f1", "exact_match", "option_accuracy"]


def test_the_promised_codes_are_there():
    assert set(BUILT) <= set(METRICS)
    assert all(code == metric.code for code, metric in METRICS.items())


def test_a_duplicate_code_is_refused():
    with pytest.raises(ValueError, match="'psnr' is registered twice"):
        collect([METRICS["psnr"], METRICS["psnr"]])


@pytest.mark.parametrize("code", METRICS)
def test_every_metric_is_documented(code):
    section = re.search(rf"^### `{code}`.*?(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)

    assert section, f"docs/metrics.md has no section '### `{code}`'"
    for word in ("Formula", "Settings", "Direction and bounds", "Undefined", "Source", "Checked against"):
        assert f"**{word}**" in section.group(0), f"{code}: {word} is missing"


def test_every_documented_metric_exists():
    documented = set(re.findall(r"^### `([a-z0-9_]+)`", DOCUMENT, re.MULTILINE))

    assert documented == set(METRICS)


@pytest.mark.parametrize("code", [*REASONS, *FLAGS])
def test_every_reason_and_flag_is_documented(code):
    assert f"| `{code}` |" in DOCUMENT


@pytest.mark.parametrize("code", METRICS)
def test_every_entry_is_complete(code):
    metric = METRICS[code]

    assert metric.tier in {"pixel", "semantic"}
    assert metric.direction in {"higher", "lower"}
    assert metric.bounds[0] < metric.bounds[1]
    assert {"output", "reference"} <= metric.needs
    assert metric.citation
    assert metric.settings
    with pytest.raises(TypeError):
        metric.settings["color"] = "any"


def test_an_unknown_code_lists_the_nearest():
    with pytest.raises(ValueError, match=r"'rougel' is unknown; nearest: rouge_l"):
        find_metric("rougel")
    with pytest.raises(ValueError, match="known: psnr"):
        find_metric("zzzzzzzz")


@pytest.mark.parametrize(
    ("code", "format", "task", "applies"),
    [
        ("psnr", "image_editing", "contrast-enhancement", True),
        ("psnr", "multimodal_generation", "organic-removal", True),
        ("psnr", "vqa", "multiple-choice", False),
        ("option_accuracy", "vqa", "multiple-choice", True),
        ("option_accuracy", "vqa", "blank-filling", True),
        ("option_accuracy", "vqa", "report-generation", False),
        ("option_accuracy", "multimodal_generation", "organic-removal", False),
        ("bleu_4", "vqa", "report-generation", True),
        ("bleu_4", "vqa", "multiple-choice", False),
        ("bleu_4", "multimodal_generation", "instruction-editing", True),
        ("rouge_l", "image_editing", "style-transfer", False),
        ("exact_match", "vqa", None, True),
        ("token_f1", None, None, True),
    ],
)
def test_each_metric_knows_what_it_applies_to(code, format, task, applies):
    reason = applies_to(code, format, task, "ct")

    assert reason == (None if applies else "not_applicable")


def test_a_metric_outside_its_modalities_does_not_apply():
    chest_only = replace(METRICS["psnr"], modalities=frozenset({"xr"}))

    assert applies_to(chest_only, "image_editing", None, "path") == "not_applicable"
    assert applies_to(chest_only, "image_editing", None, "xr") is None


def test_profiles_name_their_policy_and_their_metrics():
    assert PROFILES["recommended"].policy == "pair/1"
    assert PROFILES["official"].policy == "pair/official-1"
    assert {"psnr", "ssim", "mae", "bleu_4_13a", "option_accuracy"} <= set(PROFILES["recommended"].metrics)
    assert set(PROFILES["official"].metrics) == {
        "psnr", "ssim", "bleu_4", "exact_match", "token_f1", "option_accuracy",
    }  # fmt: skip
    assert applies_to(PROFILES["official"].metrics["bleu_4"], "vqa", "blank-filling", None) is None


def test_a_changed_setting_changes_the_hash_and_nothing_else_does():
    ssim = METRICS["ssim"]
    first = settings_hash(ssim, policy="pair/1")

    assert re.fullmatch(r"[0-9a-f]{64}", first)
    assert settings_hash(ssim.with_settings(color="channel mean"), policy="pair/1") == first
    others = {
        settings_hash(ssim.with_settings(color="luminance"), policy="pair/1"),
        settings_hash(replace(ssim, version="2"), policy="pair/1"),
        settings_hash(ssim, policy="pair/official-1"),
        settings_hash(ssim, policy="pair/1", data_range=4095),
        settings_hash(METRICS["ssim_gaussian"], policy="pair/1"),
    }
    assert len(others | {first}) == 6


def test_pairing_is_no_setting_of_text_metrics():
    bleu = METRICS["bleu_4"]

    assert settings_hash(bleu, policy="pair/1") == settings_hash(bleu, policy="pair/official-1")
    assert effective_settings(bleu, policy="pair/1", data_range=255.0) == dict(bleu.settings)
    assert effective_settings(METRICS["psnr"], policy="pair/1", data_range=255.0)["data_range"] == 255.0


def test_only_real_settings_can_be_changed():
    with pytest.raises(ValueError, match="'window' is not a setting that can be changed"):
        METRICS["ssim"].with_settings(window="9x9")


def test_an_entry_with_an_unknown_direction_is_refused():
    with pytest.raises(ValueError, match="direction 'up'"):
        replace(METRICS["psnr"], direction="up")


def test_an_entry_binds_its_parameters():
    metric = define(
        lambda output, reference, *, power: (output - reference) ** power,
        parameters={"power": 2},
        code="x", version="1", label="x", tier="pixel", direction="lower", unit="", bounds=(0, 1),
        needs=frozenset(), citation="none",
    )  # fmt: skip

    assert metric.function(5, 2) == 9
    assert metric.with_settings(power=3).function(5, 2) == 27


def test_reasons_are_a_closed_list_and_errors_travel_between_processes():
    with pytest.raises(ValueError, match="'because' is not a reason"):
        UndefinedMetricError("because", "it is so")

    error = pickle.loads(pickle.dumps(UndefinedMetricError("alpha", "3 pixels")))

    assert (error.reason, str(error)) == ("alpha", "3 pixels")
    assert UndefinedMetricError("alpha").message == REASONS["alpha"]
