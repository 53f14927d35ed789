"""Whether a rank depends on the exact weights, where formats declare weights of their own."""

from scoring.composites.combining import Component, Declaration, OutputRow, combine, rank_changes_within


def own_weights(clinical_of_vqa: float) -> Declaration:
    """Questions and pictures with text, each with weights of its own, as an analyst may declare them."""

    def part(tier: str, weight: float, form: str) -> Component:
        return Component(code=tier, tier=tier, source=tier, low=0, high=1, weight=weight, formats=(form,))

    return Declaration(
        code="own",
        version="2",
        components=(
            part("clinical", clinical_of_vqa, "vqa"),
            part("semantic", 1 - clinical_of_vqa, "vqa"),
            part("clinical", 0.6, "generation"),
            part("semantic", 0.2, "generation"),
            part("pixel", 0.2, "generation"),
        ),
        formats={"vqa": 1, "generation": 1},
    )


def rows() -> list[OutputRow]:
    """A is preferred by readers of questions, B by their words; pictures make no difference."""
    values = {"A": {"clinical": (0.9,), "semantic": (0.1,)}, "B": {"clinical": (0.3,), "semantic": (0.9,)}}
    same = {"clinical": (0.5,), "semantic": (0.5,), "pixel": (0.5,)}
    return [
        OutputRow(system=name, item=form, cluster=form, format=form, task=form, values=found)
        for name, own in values.items()
        for form, found in (("vqa", own), ("generation", same))
    ]


def test_the_rank_is_that_of_the_weights_each_format_declares():
    declaration = own_weights(0.2)
    numbers = {name: combine(declaration, rows(), system=name).value for name in "AB"}

    found = rank_changes_within(declaration, rows())

    assert numbers["B"] > numbers["A"]
    assert (found["A"].rank, found["A"].best, found["A"].worst) == (2, 2, 2)
    assert not found["B"].changes


def test_weights_near_a_tie_are_marked():
    """A and B tie where clinical weighs 4/7 in questions."""
    near, far = (rank_changes_within(own_weights(weight), rows()) for weight in (0.52, 0.9))

    assert near["A"].changes
    assert (near["A"].rank, near["A"].best) == (2, 1)
    assert not far["A"].changes
