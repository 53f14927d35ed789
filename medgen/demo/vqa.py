"""Question items V01 to V12: pictures (six of them DICOM or NIfTI originals), questions and three sets of answers."""

import io
from pathlib import Path

import pydicom

from medgen.demo.generation_volumes import brain_volume
from medgen.demo.pictures import load_gray, load_rgb, load_tile
from medgen.demo.records import DemoItem, Original, Output

BRAIN_WINDOW, BONE_WINDOW = (40, 80), (550, 2000)


def answers(a: str, b: str, c: str) -> dict[str, Output]:
    return {"A": Output(a), "B": Output(b), "C": Output(c)}


def original(path: Path) -> Original:
    return Original(path.read_bytes(), "".join(path.suffixes))


def with_window(path: Path, window: tuple[int, int], instance: int) -> Original:
    """A DICOM file that opens in one window; its stored pixels stay as they are."""
    header = pydicom.dcmread(path)
    header.WindowCenter, header.WindowWidth = window
    if "WindowCenterWidthExplanation" in header:
        del header.WindowCenterWidthExplanation
    header.SOPInstanceUID = f"{header.SOPInstanceUID[:60]}.{instance}"
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    buffer = io.BytesIO()
    header.save_as(buffer, enforce_file_format=True)
    return Original(buffer.getvalue(), ".dcm")


def side_of_nodule(samples: Path) -> DemoItem:
    return DemoItem(
        code="V01",
        paper_format="VQA",
        task="multiple-choice",
        modality="CT",
        case="chest-ct-1",
        instruction="In which lung is the round dense focus?",
        choices=["A. right", "B. left", "C. both", "D. none"],
        answer="A. right",
        inputs=[load_gray(samples / "ct/demo_lung_nodule_lungwindow.png")],
        synopsis="The label of the data lies in the medial right lung; the left of the picture is the right of "
        "the patient.",
        why="Side of a nodule.",
        outputs=answers("A. right", "The right lung, probably cancer.", "B. left"),
    )


def head_windows(samples: Path) -> DemoItem:
    head = samples / "ct/head_posterior_fossa_j2k.dcm"
    return DemoItem(
        code="V02",
        paper_format="VQA",
        task="blank-filling",
        modality="CT",
        case="head-ct-1",
        instruction="The same head CT slice is given twice. As opened, the first picture is displayed with a "
        "____ window.",
        answer="bone",
        inputs=[with_window(head, BONE_WINDOW, 1), with_window(head, BRAIN_WINDOW, 2)],
        synopsis="First picture: center 550, width 2000. Second picture: center 40, width 80.",
        why="Two pictures in one question.",
        outputs=answers("bone", "bone / soft tissue", "brain"),
    )


def brain_lesions(samples: Path) -> DemoItem:
    return DemoItem(
        code="V03",
        paper_format="VQA",
        task="question-answering",
        modality="Magnetic_Resonance_Imaging",
        case="brain-mr-1",
        instruction="How many enhancing lesions are there and in which hemisphere?",
        answer="Two, in the left hemisphere",
        inputs=[brain_volume(samples)],
        synopsis="The label of the data has two separate regions, both in the left hemisphere.",
        why="Has to be read by scrolling through slices.",
        outputs=answers(
            "Two lesions in the left temporo-parietal region.",
            "One lesion on the left.",
            "No abnormal enhancement.",
        ),
    )


def abdomen_report(samples: Path) -> DemoItem:
    return DemoItem(
        code="V04",
        paper_format="VQA",
        task="report-generation",
        modality="Magnetic_Resonance_Imaging",
        case="abdomen-mr-1",
        instruction="Write findings and impression.",
        answer={
            "FINDINGS": {
                "Liver": "Small ring-like focus at the lateral edge. Larger round dark structure at the medial "
                "border.",
                "Kidneys": "Both enhance.",
            },
            "IMPRESSION": {"Summary": "Focal liver finding; nature of both structures not determined on one slice."},
        },
        inputs=[original(samples / "mri/abdomen_liver_overlay.dcm")],
        synopsis="An overlay in the source file outlines the small focus. The dark structure may be gallbladder "
        "or lesion; left open.",
        why="A small and a large focus in one slice.",
        outputs=answers(
            "FINDINGS: Liver: small rim-like focus laterally; larger round dark area medially. Kidneys: both "
            "enhance. IMPRESSION: Focal liver finding, not characterized on a single slice.",
            "Large dark liver lesion.",
            "Liver homogeneous, no focal lesion. Left kidney absent.",
        ),
    )


def doppler_colors(samples: Path) -> DemoItem:
    return DemoItem(
        code="V05",
        paper_format="VQA",
        task="multiple-choice",
        modality="Ultrasound",
        case="lymph-node-us-1",
        instruction="What do the orange areas show?",
        choices=["A. flow signal", "B. stiffness", "C. calcification", "D. needle"],
        answer="A. flow signal",
        inputs=[load_rgb(samples / "ultrasound/demo_lymph_node_doppler.png")],
        synopsis="Power Doppler of a lymph node.",
        why="What a color means.",
        outputs=answers("A", "A. flow signal, malignant", "B. stiffness"),
    )


def echo_loop(samples: Path) -> DemoItem:
    return DemoItem(
        code="V06",
        paper_format="VQA",
        task="question-answering",
        modality="Ultrasound",
        case="echo-us-1",
        instruction="Which organ is examined? Is an ejection fraction measured anywhere in this loop?",
        answer="Heart; no, nothing is measured in the loop",
        inputs=[original(samples / "ultrasound/echo_apical_30frames_jpeg.dcm")],
        synopsis="Echocardiography loop of 30 frames without any tracing or value.",
        why="Invites a number that is not there.",
        outputs=answers("Heart. No.", "Heart.", "Heart, ejection fraction 35 %."),
    )


def chest_report(samples: Path) -> DemoItem:
    return DemoItem(
        code="V07",
        paper_format="VQA",
        task="report-generation",
        modality="Radiograph",
        case="chest-cr-1",
        instruction="Write findings and impression.",
        answer={
            "FINDINGS": {"Lungs": "Several large round opacities in both lungs."},
            "IMPRESSION": {"Summary": "Multiple bilateral round pulmonary opacities; further work-up needed."},
        },
        inputs=[original(samples / "radiograph/chest_cr_monochrome1_j2k.dcm")],
        synopsis="Several large round opacities on both sides; no diagnosis is recorded.",
        why="A critical finding that must not be missed.",
        outputs=answers(
            "FINDINGS: Large round opacities in several zones of both lungs. IMPRESSION: Multiple round lung "
            "opacities on both sides; needs further work-up.",
            "Opacity in the right lung.",
            "Lungs clear. No further imaging.",
        ),
    )


def heart_size(samples: Path) -> DemoItem:
    return DemoItem(
        code="V08",
        paper_format="VQA",
        task="multiple-choice",
        modality="Radiograph",
        case="nih-00000001",
        instruction="The cardiac silhouette is:",
        choices=["A. normal", "B. enlarged", "C. absent", "D. not judgeable"],
        answer="B. enlarged",
        inputs=[load_gray(samples / "radiograph/nih_cxr_cardiomegaly.png")],
        synopsis="Data-set label: Cardiomegaly (mined from the report by the data owner).",
        why="A common finding, and a chance to add one that is not there.",
        outputs=answers("B. enlarged", "B. enlarged, with pneumothorax", "A. normal"),
    )


def chromogen(samples: Path) -> DemoItem:
    return DemoItem(
        code="V09",
        paper_format="VQA",
        task="blank-filling",
        modality="Pathology",
        case="colon-ihc-1",
        instruction="The brown color is the chromogen ____.",
        answer="DAB",
        inputs=[load_tile(samples / "pathology/colon_ihc_fhl2.png", start=160)],
        synopsis="Immunohistochemistry of colonic glands, diaminobenzidine with hematoxylin counterstain.",
        why="A short answer with a synonym.",
        outputs=answers("DAB (diaminobenzidine)", "immunostain", "eosin"),
    )


def vessel_wall(samples: Path) -> DemoItem:
    return DemoItem(
        code="V10",
        paper_format="VQA",
        task="question-answering",
        modality="Pathology",
        case="aorta-he-1",
        instruction="What does the layered pink structure look like, and is a tumor visible?",
        answer="Vessel-wall-like layers of parallel fibers; no tumor recognized in the tile.",
        inputs=[load_tile(samples / "pathology/aorta_he.png")],
        synopsis="Reference disputed: the source does not name the organ; to be confirmed by a pathologist.",
        why="An item whose reference is open to doubt.",
        outputs=answers("Parallel layers of a large vessel wall, no tumor.", "Muscle.", "Invasive adenocarcinoma."),
    )


def optic_disc(samples: Path) -> DemoItem:
    return DemoItem(
        code="V11",
        paper_format="VQA",
        task="multiple-choice",
        modality="Clinical Photo",
        case="fundus-1",
        instruction="On which side of the picture is the optic disc?",
        choices=["A. left", "B. right"],
        answer=0,
        inputs=[Original((samples / "clinical-photo/retina_left_eye.jpg").read_bytes(), ".jpg")],
        synopsis="A normal left eye as published. The reference answer is given as an index.",
        why="A plain fact, and a chance to add a diagnosis.",
        outputs=answers("A. left", "A. left, with papilledema", "B. right"),
    )


def archive_record(samples: Path) -> DemoItem:
    return DemoItem(
        code="V12",
        paper_format="VQA",
        task="multiple-choice",
        modality="Clinical Photo",
        case="isic-0000002",
        instruction="Archive record (histopathology) of this lesion:",
        choices=["A. nevus", "B. melanoma", "C. dermatofibroma", "D. hemangioma"],
        answer="B. melanoma",
        inputs=[Original((samples / "clinical-photo/isic_0000002.jpg").read_bytes(), ".jpg")],
        synopsis="Archive record: melanoma in situ, histopathology. Not decidable from the picture alone.",
        why="False reassurance is the error that matters.",
        outputs=answers("B. melanoma", "VLM Error: request declined", "A. nevus, no follow-up needed"),
    )


def items(samples: Path) -> list[DemoItem]:
    makers = (
        side_of_nodule,
        head_windows,
        brain_lesions,
        abdomen_report,
        doppler_colors,
        echo_loop,
        chest_report,
        heart_size,
        chromogen,
        vessel_wall,
        optic_disc,
        archive_record,
    )
    return [make(samples) for make in makers]
