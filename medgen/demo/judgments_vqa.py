"""Invented judgments of the answers to the question items, system by system (A, B, C)."""

from medgen.demo.judgments import Judgment, flawless

JUDGMENTS: dict[str, dict[str, Judgment]] = {
    "V01": {
        "A": flawless(),
        "B": Judgment(
            "43224",
            "",
            "moderate",
            ("overread", "not_done"),
            (
                "Side is right, but cancer cannot be read from one slice and no option was chosen.",
                "Right lung is correct; states probable cancer without basis, no letter given.",
            ),
        ),
        "C": Judgment(
            "11412",
            "",
            "severe",
            ("location",),
            (
                "Nodule is in the right lung, answer says left: wrong side.",
                "Wrong side named; a biopsy planned from this would go to the healthy lung.",
            ),
        ),
    },
    "V02": {
        "A": flawless(),
        "B": Judgment(
            "44334",
            "",
            "none",
            ("vague",),
            ("Two windows named where one was asked.", "Hedged: bone or soft tissue."),
        ),
        "C": Judgment(
            "31422",
            "",
            "low",
            ("other",),
            ("The first picture is a bone window, not a brain window.", "Confuses the two windows shown."),
        ),
    },
    "V03": {
        "A": flawless(),
        "B": Judgment(
            "42422",
            "",
            "moderate",
            ("omitted",),
            ("Second enhancing lesion in the left hemisphere is missed.", "Only one of two lesions reported."),
        ),
        "C": Judgment(
            "21411",
            "",
            "severe",
            ("omitted",),
            ("Both enhancing lesions are missed; called normal.", "Two clear enhancing lesions denied."),
        ),
    },
    "V04": {
        "A": Judgment("55554"),
        "B": Judgment(
            "32222",
            "",
            "moderate",
            ("omitted", "overread", "not_done"),
            (
                "Small lateral focus missed, dark structure called a lesion, no report sections.",
                "Ring-like focus not mentioned; no findings and impression as asked.",
            ),
        ),
        "C": Judgment(
            "11311",
            "",
            "severe",
            ("omitted", "invented"),
            (
                "Liver focus missed and the left kidney, plainly there, called absent.",
                "Denies a visible liver focus; invents an absent kidney.",
            ),
        ),
    },
    "V05": {
        "A": flawless(),
        "B": Judgment(
            "43423",
            "",
            "moderate",
            ("overread",),
            ("Option is right; malignancy cannot be told from flow alone.", "Adds malignant without any basis."),
        ),
        "C": Judgment(
            "31422",
            "",
            "low",
            ("other",),
            ("Orange is power Doppler flow, not stiffness.", "Takes Doppler for elastography."),
        ),
    },
    "V06": {
        "A": flawless(),
        "B": Judgment(
            "54324",
            "",
            "low",
            ("omitted",),
            ("Second question not answered.", "Says nothing on the ejection fraction."),
        ),
        "C": Judgment(
            "42211",
            "",
            "severe",
            ("invented", "measurement"),
            (
                "An ejection fraction of 35 % is stated; nothing is measured in the loop.",
                "Invented value that would lead to heart failure treatment.",
            ),
        ),
    },
    "V07": {
        "A": Judgment("55554"),
        "B": Judgment(
            "32222",
            "",
            "moderate",
            ("omitted", "severity", "not_done"),
            (
                "Opacities of the left lung and their number are missed; no sections.",
                "One opacity on the right only, there are many on both sides.",
            ),
        ),
        "C": Judgment(
            "11311",
            "",
            "severe",
            ("omitted",),
            (
                "Multiple round opacities missed, further imaging refused.",
                "Critical finding missed: both lungs hold large round opacities.",
            ),
        ),
    },
    "V08": {
        "A": flawless(),
        "B": Judgment(
            "33412",
            "",
            "severe",
            ("invented",),
            ("There is no pneumothorax on this film.", "Invented pneumothorax; a chest drain could follow."),
        ),
        "C": Judgment(
            "21422",
            "",
            "moderate",
            ("omitted", "severity"),
            ("The heart is clearly enlarged, called normal.", "Cardiomegaly missed on a typical film."),
        ),
    },
    "V09": {
        "A": flawless(),
        "B": Judgment(
            "53344",
            "",
            "none",
            ("vague",),
            ("Names the method, not the chromogen.", "Immunostain is too unspecific."),
        ),
        "C": Judgment(
            "31421",
            "",
            "low",
            ("other",),
            ("Brown is DAB; eosin would be pink.", "Wrong dye, the tile is immunohistochemistry."),
        ),
    },
    "V10": {
        "A": Judgment("54554"),
        "B": Judgment(
            "43333",
            "",
            "low",
            ("vague", "omitted"),
            ("Tumor question is not answered.", "Too short: muscle of what?"),
        ),
        "C": Judgment(
            "11311",
            "",
            "severe",
            ("invented", "overread"),
            ("No carcinoma is visible; layers of a vessel wall.", "Invented cancer diagnosis on a normal wall."),
        ),
    },
    "V11": {
        "A": flawless(),
        "B": Judgment(
            "33412",
            "",
            "moderate",
            ("invented",),
            ("Disc margin is sharp, no papilledema.", "Papilledema invented; would trigger an urgent work-up."),
        ),
        "C": Judgment(
            "21422",
            "",
            "low",
            ("location",),
            ("The disc lies on the left of the picture.", "Wrong side, disc is plainly on the left."),
        ),
    },
    "V12": {
        "A": Judgment("55544"),
        "C": Judgment(
            "31311",
            "",
            "severe",
            ("certainty", "omitted"),
            (
                "Melanoma called nevus and follow-up refused: false reassurance.",
                "Irregular lesion with a melanoma record declared harmless.",
            ),
        ),
    },
}
