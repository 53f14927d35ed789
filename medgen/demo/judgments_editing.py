"""Invented judgments of the edited pictures, system by system (A, B, C)."""

from medgen.demo.judgments import Judgment

JUDGMENTS: dict[str, dict[str, Judgment]] = {
    "E01": {
        "A": Judgment("55555", "554"),
        "B": Judgment(
            "43333", "433", "low", ("artifact",), ("Ribs and noise too hard.", "Over-enhanced, ribs dominate.")
        ),
        "C": Judgment(
            "31211",
            "415",
            "severe",
            ("invented", "unrequested"),
            (
                "A nodule in the left mid zone that the input does not show.",
                "Round opacity added to the left lung: would lead to CT or biopsy.",
            ),
        ),
    },
    "E02": {
        "A": Judgment("54544", "443"),
        "B": Judgment(
            "43333",
            "333",
            "low",
            ("artifact",),
            ("Blurred, thin vessels are lost.", "Nodule kept but everything soft."),
        ),
        "C": Judgment(
            "21311",
            "514",
            "severe",
            ("omitted",),
            ("The nodule in the right lung has been removed.", "Lung nodule gone, slice looks perfect otherwise."),
        ),
    },
    "E03": {
        "A": Judgment("44544", "444"),
        "B": Judgment(
            "33322",
            "322",
            "moderate",
            ("artifact", "morphology"),
            (
                "Strong blur, texture of the enhancing lesion lost.",
                "Median smear hides the lesion's inner structure.",
            ),
        ),
        "C": Judgment(
            "21311",
            "514",
            "severe",
            ("omitted",),
            ("Enhancing lesion of the left hemisphere erased.", "The enhancing lesion is gone."),
        ),
    },
    "E04": {
        "A": Judgment("55544", "444"),
        "B": Judgment(
            "32222",
            "222",
            "moderate",
            ("artifact", "omitted"),
            (
                "Blurred beyond use, zipper still visible, small focus lost.",
                "Artifact not removed, detail destroyed, focus no longer seen.",
            ),
        ),
        "C": Judgment(
            "31411",
            "514",
            "severe",
            ("omitted",),
            (
                "Small ring-like liver focus at the lateral edge removed.",
                "Artifact gone, but so is the focus in the liver.",
            ),
        ),
    },
    "E05": {
        "A": Judgment("55554", "454"),
        "B": Judgment(
            "43322",
            "323",
            "low",
            ("artifact", "morphology"),
            (
                "Pigment pattern smeared, hair remains are left.",
                "Network pattern lost, dark specks where hairs were.",
            ),
        ),
        "C": Judgment(
            "32211",
            "514",
            "severe",
            ("morphology", "unrequested"),
            (
                "Right border of the lesion replaced by skin: border falsified.",
                "Lesion cut at its right edge; excision margin would be wrong.",
            ),
        ),
    },
    "E06": {
        "A": Judgment("54544", "444"),
        "B": Judgment(
            "33322",
            "322",
            "low",
            ("artifact",),
            ("Thin flow signals melt into blocks.", "Median blur: vessels no longer separate."),
        ),
        "C": Judgment(
            "31211",
            "414",
            "severe",
            ("omitted",),
            ("Color flow of the whole right view is gone.", "Flow removed on the right: looks avascular."),
        ),
    },
    "E07": {
        "A": Judgment("55544", "454"),
        "B": Judgment(
            "43333",
            "242",
            "none",
            ("not_done", "artifact"),
            ("Only larger pixels.", "Blocky, no gain in resolution."),
        ),
        "C": Judgment(
            "31211",
            "515",
            "severe",
            ("invented",),
            ("Dark red spot temporal of the macula is not in the input.", "Invented hemorrhage in a normal fundus."),
        ),
    },
    "E08": {
        "A": Judgment("55554", "454"),
        "C": Judgment(
            "31311",
            "515",
            "severe",
            ("omitted",),
            (
                "Both microaneurysms are gone, the vessels are perfect.",
                "The two dark dots named in the instruction were removed.",
            ),
        ),
    },
    "E09": {
        "A": Judgment("54444", "444"),
        "B": Judgment(
            "44333", "233", "none", ("artifact",), ("Right size, blurred.", "Large but soft, no detail restored.")
        ),
        "C": Judgment(
            "54132",
            "153",
            "low",
            ("not_done", "mismatch"),
            (
                "Input returned unchanged at 128 x 128 although the text says upscaled.",
                "Nothing was done; size is still 128 x 128.",
            ),
        ),
    },
    "E10": {
        "A": Judgment("44444", "443"),
        "B": Judgment(
            "43333",
            "343",
            "low",
            ("not_done",),
            ("Still pale, opacities hard to see.", "Gain is small, flat contrast."),
        ),
        "C": Judgment(
            "21311",
            "414",
            "severe",
            ("omitted",),
            (
                "Round opacity of the left lower zone has been removed.",
                "One of the opacities is missing on the left below.",
            ),
        ),
    },
    "E11": {
        "A": Judgment("54554", "555"),
        "B": Judgment(
            "44343",
            "345",
            "none",
            ("marks",),
            ("A box, not an outline.", "Rectangle instead of the nodule's contour."),
        ),
        "C": Judgment(
            "11211",
            "145",
            "severe",
            ("location", "marks"),
            (
                "Outline lies in the left lung, the nodule is right: wrong side.",
                "Healthy left lung marked; side swapped.",
            ),
        ),
    },
    "E12": {
        "A": Judgment("54544", "455"),
        "B": Judgment(
            "43333",
            "345",
            "low",
            ("morphology",),
            ("Oval ignores the irregular border.", "Too coarse for the border."),
        ),
    },
    "E13": {
        "A": Judgment("55544", "454"),
        "B": Judgment(
            "43232",
            "232",
            "low",
            ("not_done", "artifact"),
            (
                "Only harder contrast, not the colors of the second laboratory.",
                "Stain is not that of the model, colors too dark.",
            ),
        ),
        "C": Judgment(
            "22311",
            "412",
            "severe",
            ("omitted", "anatomy_broken"),
            ("Nuclei of the basal layer have been erased.", "A patch of the basal layer has no nuclei left."),
        ),
    },
    "E14": {
        "A": Judgment("55555", "554"),
        "B": Judgment(
            "42222",
            "232",
            "low",
            ("not_done", "artifact"),
            ("Not a soft-tissue window; noise outside the body.", "Equalized lung window, mediastinum not readable."),
        ),
        "C": Judgment(
            "11311",
            "515",
            "severe",
            ("orientation",),
            (
                "Mirrored left to right: the nodule now lies on the left.",
                "Right window, but the slice is flipped: wrong side.",
            ),
        ),
    },
}
