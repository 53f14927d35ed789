"""Where the demo's pictures come from: one entry per case (patient, slide or photograph)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Source and license of everything derived from one patient's images."""

    source: str
    license: str
    files: tuple[str, ...]


PYRADIOMICS = "BSD-3-Clause (license of the package; the package does not name the clinical source)"
PYDICOM = "MIT (license of the package)"
PYDICOM_DATA = "MIT (license of the repository)"
NIH = "LicenseRef-NIH-Unrestricted (unrestricted use with link, acknowledgment and citation)"
ISIC = "CC0-1.0 (ISIC archive record)"

CASES = {
    "chest-ct-1": Case(
        "PyRadiomics 3.0.1, data/lung1_image.nrrd",
        PYRADIOMICS,
        (
            "ct/demo_lung_nodule_lungwindow.png",
            "ct/demo_mediastinum_window.png",
            "masks/demo_lung_nodule_mask.png",
            "volumes/chest_ct_nodule_crop.nii.gz",
            "masks/chest_ct_nodule_crop_mask.nii.gz",
        ),
    ),
    "head-ct-1": Case("pydicom 3.0.2, J2K_pixelrep_mismatch.dcm", PYDICOM, ("ct/head_posterior_fossa_j2k.dcm",)),
    "brain-mr-1": Case(
        "PyRadiomics 3.0.1, data/brain1_image.nrrd",
        PYRADIOMICS,
        (
            "mri/demo_brain_t1gd_lesion_a.png",
            "mri/demo_brain_t1gd_lesion_b.png",
            "masks/demo_brain_t1gd_lesion_b_mask.png",
            "volumes/brain_t1gd_lesions.nii.gz",
            "masks/brain_t1gd_lesions_mask.nii.gz",
        ),
    ),
    "abdomen-mr-1": Case(
        "pydicom 3.0.2, examples_overlay.dcm, header cleared",
        PYDICOM,
        ("mri/abdomen_liver_overlay.dcm", "mri/demo_abdomen_liver.png"),
    ),
    "shoulder-mr-1": Case("pydicom-data, MR2_J2KI.dcm", PYDICOM_DATA, ("mri/demo_shoulder.png",)),
    "lymph-node-us-1": Case(
        "pydicom 3.0.2, examples_jpeg2k.dcm", PYDICOM, ("ultrasound/demo_lymph_node_doppler.png",)
    ),
    "echo-us-1": Case(
        "pydicom 3.0.2, examples_ybr_color.dcm",
        PYDICOM,
        ("ultrasound/echo_apical_30frames_jpeg.dcm", "ultrasound/demo_echo_frame.png"),
    ),
    "chest-cr-1": Case(
        "pydicom-data, RG1_J2KI.dcm, header cleared",
        PYDICOM_DATA,
        ("radiograph/chest_cr_monochrome1_j2k.dcm", "radiograph/demo_chest_cr.png"),
    ),
    "nih-00000001": Case(
        "NIH Clinical Center, ChestX-ray8 (Wang et al., CVPR 2017), 00000001_000",
        NIH,
        ("radiograph/nih_cxr_cardiomegaly.png",),
    ),
    "nih-00027426": Case(
        "NIH Clinical Center, ChestX-ray8 (Wang et al., CVPR 2017), 00027426_000",
        NIH,
        ("radiograph/nih_cxr_no_finding.png",),
    ),
    "colon-ihc-1": Case(
        "scikit-image 0.18.3, ihc.png (Center for Microscopy and Molecular Imaging)",
        "LicenseRef-NoKnownCopyright (No known copyright restrictions)",
        ("pathology/colon_ihc_fhl2.png",),
    ),
    "aorta-he-1": Case(
        "histolab test data, medium-nuclei-score-level1.png",
        "Apache-2.0 (license of the repository)",
        ("pathology/aorta_he.png",),
    ),
    "cmu-he-1": Case(
        "CMU-1-Small-Region slide, Carnegie Mellon University / OpenSlide test data",
        "CC0-1.0 (statement for this image)",
        ("pathology/demo_cmu_he.png",),
    ),
    "fundus-1": Case(
        "M. Haggstrom, Medical gallery of Mikael Haggstrom 2014, WikiJournal of Medicine 1(2)",
        "CC0-1.0 (statement for this image)",
        ("clinical-photo/retina_left_eye.jpg",),
    ),
    "fundus-2": Case(
        "High-Resolution Fundus database, A. Maier, by way of scikit-image 0.18.3",
        "CC0-1.0 (statement for this image)",
        ("clinical-photo/microaneurysms_green.png",),
    ),
    "isic-0000000": Case(
        "ISIC Archive, data set UDA-1, ISIC_0000000",
        ISIC,
        ("clinical-photo/isic_0000000.jpg", "masks/isic_0000000_otsu_mask.png"),
    ),
    "isic-0000002": Case(
        "ISIC Archive, data set UDA-1, ISIC_0000002",
        ISIC,
        ("clinical-photo/isic_0000002.jpg", "masks/isic_0000002_otsu_mask.png"),
    ),
}
