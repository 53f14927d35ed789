"""Nested report answers become text in one order; the object itself is kept."""

from annotation.formats import ordered_sections, sections_text


def test_the_example_of_a_report_reads_as_findings_then_impression():
    sections = {
        "IMPRESSION": {"Summary": "Left effusion."},
        "FINDINGS": {"Lungs": "Clear.", "Pleura": "Small left effusion."},
    }

    assert sections_text(sections) == (
        "FINDINGS\nLungs: Clear.\nPleura: Small left effusion.\n\nIMPRESSION\nSummary: Left effusion."
    )


def test_known_sections_come_in_reading_order_then_others_alphabetically():
    names = [
        "ZEBRA", "NOTIFICATION", "RECOMMENDATION", "IMPRESSION", "FINDINGS", "COMPARISON", "TECHNIQUE", "ADDENDUM",
        "HISTORY", "INDICATION", "CLINICAL_HISTORY", "MODALITY", "EXAMINATION", "STUDY",
    ]  # fmt: skip

    order = [heading for heading, _ in ordered_sections(dict.fromkeys(names, "x"))]

    assert order == [
        "STUDY", "EXAMINATION", "MODALITY", "CLINICAL_HISTORY", "INDICATION", "HISTORY", "TECHNIQUE", "COMPARISON",
        "FINDINGS", "IMPRESSION", "RECOMMENDATION", "NOTIFICATION", "ADDENDUM", "ZEBRA",
    ]  # fmt: skip


def test_case_and_blanks_of_a_heading_do_not_change_its_place():
    sections = {"Impression": "b", "findings": "a", "Clinical History": "h"}

    assert [heading for heading, _ in ordered_sections(sections)] == ["Clinical History", "findings", "Impression"]


def test_lists_join_with_a_semicolon_and_numbers_are_kept():
    assert sections_text({"FINDINGS": ["a", "b"], "STUDY": {"Series": 0, "Contrast": False}}) == (
        "STUDY\nSeries: 0\nContrast: no\n\nFINDINGS\na; b"
    )


def test_deeper_objects_stay_readable():
    assert sections_text({"FINDINGS": {"Lungs": {"right": "clear", "left": ["a", "b"]}}}) == (
        "FINDINGS\nLungs: right: clear; left: a; b"
    )


def test_empty_entries_and_sections_are_left_out():
    assert ordered_sections({"FINDINGS": {"Lungs": None, "Heart": ""}, "IMPRESSION": [], "STUDY": "CT"}) == (
        ("STUDY", (("", "CT"),)),
    )
    assert sections_text({}) == ""
