"""Every spelling of the benchmark's formats, tasks and modalities finds its code."""

import pytest

from annotation.formats import taxonomy

FORMAT_SPELLINGS = {
    "vqa": ["vqa", "VQA", "Visual Question Answering", "visual_question_answering", "visual-question-answering"],
    "image_editing": ["ImageEdit", "ImageEditing", "edit", "image_edit", "image_editing", "Image Editing"],
    "multimodal_generation": [
        "MMGeneration",
        "MultimodalGeneration",
        "generate",
        "multimodal_generation",
        "gen",
        "cmg",
        "CMG",
        "contextual multimodal generation",
        "Contextual Multimodal Generation",
    ],
}
TASK_SPELLINGS = {
    "multiple-choice": ("vqa", ["multiple-choice", "Multiple Choice", "multiple_choice", "MCQ"]),
    "blank-filling": ("vqa", ["blank-filling", "fill-in-the-blank", "Fill in the blank"]),
    "question-answering": ("vqa", ["question-answering", "QA", "open QA", "open-qa"]),
    "report-generation": ("vqa", ["report-generation", "report", "Report Generation"]),
    "resolution-editing": ("image_editing", ["resolution-editing", "super-resolution", "Super_Resolution"]),
    "contrast-enhancement": ("image_editing", ["contrast-enhancement", "Contrast Enhancement"]),
    "noise-reconstruction": ("image_editing", ["noise-reconstruction", "denoising"]),
    "artifact-removal": ("image_editing", ["artifact-removal", "artifact_removal"]),
    "anatomical-annotation": ("image_editing", ["anatomical-annotation", "Anatomical Annotation"]),
    "style-transfer": ("image_editing", ["style-transfer", "style transfer"]),
    "disease-prediction": ("multimodal_generation", ["disease-prediction", "disease_prediction"]),
    "instruction-editing": ("multimodal_generation", ["instruction-editing", "Instruction Editing"]),
    "organic-removal": ("multimodal_generation", ["organic-removal", "organ-removal", "organ removal"]),
    "organic-reconstruction": ("multimodal_generation", ["organic-reconstruction", "organ-reconstruction"]),
    "3d-to-2d-projection": (
        "multimodal_generation",
        ["3d-to-2d-projection", "3d_to_2d_projection", "3D to 2D projection"],
    ),
    "2d-to-3d-reconstruction": ("multimodal_generation", ["2d-to-3d-reconstruction", "2d_to_3d_reconstruction"]),
}
MODALITY_SPELLINGS = {
    "ct": ["CT", "ct", "computed tomography", "Computed_Tomography"],
    "mri": ["MRI", "Magnetic_Resonance_Imaging", "MR", "magnetic resonance"],
    "us": ["Ultrasound", "US", "sonography", "Doppler", "echo"],
    "xr": ["Radiograph", "X-ray", "CR", "DX", "XR", "CXR", "xray", "plain film", "x\u2011ray"],
    "path": ["Pathology", "histology", "HIS", "WSI", "SM"],
    "photo": ["Clinical Photo", "XC", "clinical photograph", "Clinical_Photo"],
}


@pytest.mark.parametrize(("code", "raw"), [(code, raw) for code, names in FORMAT_SPELLINGS.items() for raw in names])
def test_every_spelling_of_a_format_finds_its_code(code: str, raw: str):
    assert taxonomy.canonical_format(raw) == code


@pytest.mark.parametrize(
    ("code", "format", "raw"),
    [(code, format, raw) for code, (format, names) in TASK_SPELLINGS.items() for raw in names],
)
def test_every_spelling_of_a_task_finds_its_code_and_format(code: str, format: str, raw: str):
    assert taxonomy.canonical_task(raw) == code
    assert taxonomy.canonical_task(raw, format) == code
    assert taxonomy.TASKS[code].format == format


@pytest.mark.parametrize(
    ("code", "raw"), [(code, raw) for code, names in MODALITY_SPELLINGS.items() for raw in names]
)
def test_every_spelling_of_a_modality_finds_its_code(code: str, raw: str):
    assert taxonomy.canonical_modality(raw) == code


def test_the_benchmark_has_three_formats_with_four_six_and_six_tasks():
    counts = [sum(task.format == code for task in taxonomy.TASKS.values()) for code in taxonomy.FORMATS]

    assert list(taxonomy.FORMATS) == ["vqa", "image_editing", "multimodal_generation"]
    assert counts == [4, 6, 6]
    assert set(taxonomy.TASKS) == set(TASK_SPELLINGS)
    assert set(taxonomy.MODALITIES) == set(MODALITY_SPELLINGS)


@pytest.mark.parametrize("raw", ["", "audio", "vqa2", None, 3, ["vqa"], "Other"])
def test_an_unknown_spelling_is_never_guessed(raw: object):
    assert taxonomy.canonical_format(raw) is None
    assert taxonomy.canonical_task(raw) is None
    assert taxonomy.canonical_modality(raw) is None


@pytest.mark.parametrize("raw", ["PET", "fundus", "OCT", "endoscopy", "dermoscopy", "Other"])
def test_a_modality_outside_the_six_stays_unmapped(raw: str):
    assert taxonomy.canonical_modality(raw) is None


def test_a_task_of_another_format_is_unknown_in_this_one():
    assert taxonomy.canonical_task("style-transfer", "vqa") is None


def test_labels_are_the_words_of_the_screen():
    assert taxonomy.format_label("multimodal_generation") == "Contextual Multimodal Generation"
    assert taxonomy.task_label("3d-to-2d-projection") == "3D to 2D projection"
    assert taxonomy.modality_label("xr") == "X-ray / Radiography"
    assert taxonomy.modality_label("") == taxonomy.modality_label(None) == "unmapped"
    assert taxonomy.format_label("new-format") == "new-format"


def test_abbreviations_are_dicom_style():
    assert [taxonomy.modality_abbreviation(code) for code in taxonomy.MODALITIES] == [
        "CT",
        "MR",
        "US",
        "CR",
        "SM",
        "XC",
    ]
    assert taxonomy.modality_abbreviation(None) == "?"
