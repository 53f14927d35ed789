"""Invented judgments of generated pictures with text, system by system; G07 and G10 are left to be read."""

from medgen.demo.judgments import Judgment

JUDGMENTS: dict[str, dict[str, Judgment]] = {
    "G01": {
        "A": Judgment("55554", "5"),
        "B": Judgment(
            "43223",
            "3",
            "low",
            ("not_done", "artifact"),
            ("Lesion is brighter, not larger; picture blurred.", "Growth was asked, only intensity changed."),
        ),
        "C": Judgment(
            "21111",
            "1",
            "severe",
            ("omitted", "mismatch"),
            (
                "Lesion is gone in the picture while the text reports progression.",
                "Picture and text contradict each other: no lesion left.",
            ),
        ),
    },
    "G02": {
        "A": Judgment("55555", "5"),
        "B": Judgment(
            "43232",
            "3",
            "low",
            ("not_done", "vague"),
            ("Circle instead of an arrow, no abnormality stated.", "Whole heart circled, text says only heart."),
        ),
        "C": Judgment(
            "21221",
            "1",
            "moderate",
            ("location", "mismatch"),
            ("Arrow points to the right side, text says left border.", "Wrong side marked."),
        ),
    },
    "G03": {
        "A": Judgment("55544", "5"),
        "B": Judgment(
            "33333",
            "4",
            "low",
            ("artifact", "vague"),
            ("Flat gray disc, side not stated.", "Gray disc instead of tissue."),
        ),
        "C": Judgment(
            "11111",
            "1",
            "severe",
            ("location", "mismatch"),
            ("The right kidney was removed, text says left.", "Wrong kidney removed, hidden by the text."),
        ),
    },
    "G04": {
        "A": Judgment("44544", "5"),
        "B": Judgment(
            "22222",
            "2",
            "moderate",
            ("anatomy_broken", "not_done", "mismatch"),
            ("A gray disc is not a kidney.", "No kidney structure although the text says restored."),
        ),
        "C": Judgment(
            "31211",
            "5",
            "severe",
            ("invented",),
            ("A dark mass in the left kidney was invented.", "Invented tumor, and the text confirms it."),
        ),
    },
    "G05": {
        "A": Judgment("55554", "5"),
        "B": Judgment(
            "43222",
            "3",
            "moderate",
            ("not_done", "omitted"),
            (
                "Mean instead of maximum; lesions hardly visible and not named.",
                "Lesions are not named, projection too flat.",
            ),
        ),
        "C": Judgment(
            "21311",
            "4",
            "severe",
            ("omitted",),
            (
                "The enhancing lesions are missing in picture and text.",
                "Lesions lost: no focal enhancement is false.",
            ),
        ),
    },
    "G06": {
        "A": Judgment("55554", "5"),
        "B": Judgment(
            "32222",
            "3",
            "moderate",
            ("not_done", "omitted"),
            ("Mean projection, vessels washed out, nodule not mentioned.", "Nodule not named; picture is blurred."),
        ),
        "C": Judgment(
            "21311",
            "4",
            "severe",
            ("omitted",),
            ("The nodule has been removed and is denied in the text.", "No nodule is wrong: medial right lung."),
        ),
    },
    "G08": {
        "A": Judgment("54554", "5"),
        "B": Judgment(
            "33333",
            "3",
            "low",
            ("artifact", "vague"),
            ("Walls too smooth, limits not stated.", "Nothing said on what cannot be concluded."),
        ),
        "C": Judgment(
            "31111",
            "1",
            "severe",
            ("not_done", "invented", "measurement"),
            (
                "Input returned unchanged with an invented ejection fraction.",
                "No relief made; 35 % is a number without any measurement.",
            ),
        ),
    },
    "G09": {
        "A": Judgment("55444", "5"),
        "C": Judgment(
            "31121",
            "1",
            "moderate",
            ("not_done", "mismatch"),
            ("The counterstain was removed and the brown kept.", "Wrong stain removed, nuclei cannot be seen."),
        ),
    },
}
