"""Items of one case or with one input picture stand together."""

import uuid

import pytest

from annotation.datasets.clusters import cluster_keys, joined
from annotation.datasets.models import ItemImage
from tests import factories


def test_ties_join_through_a_third():
    a, b, c, d = sorted(uuid.uuid4() for _ in range(4))

    keys = joined([a, b, c, d], [(a, "x"), (b, "x"), (b, "y"), (c, "y")])

    assert keys == {a: str(a), b: str(a), c: str(a), d: str(d)}


@pytest.mark.django_db
def test_case_and_input_join_but_a_shared_reference_does_not(django_assert_num_queries):
    one, two, three, four, five = (factories.item(case_key=key) for key in ("k1", "k1", "", "", ""))
    shared = factories.asset()
    for item in (two, three):
        ItemImage.objects.create(revision=item.current_revision, role="input", position=1, asset=shared)
    for item in (four, five):
        ItemImage.objects.create(revision=item.current_revision, role="reference", position=0, asset=shared)
    revisions = [item.current_revision_id for item in (one, two, three, four, five)]

    with django_assert_num_queries(2):
        keys = cluster_keys(revisions)

    assert keys[revisions[0]] == keys[revisions[1]] == keys[revisions[2]]
    assert len({keys[each] for each in revisions}) == 3


@pytest.mark.django_db
def test_one_case_key_in_two_datasets_is_two_clusters():
    one = factories.item(factories.dataset("one"), case_key="k")
    two = factories.item(factories.dataset("two"), case_key="k")

    keys = cluster_keys([one.current_revision_id, two.current_revision_id])

    assert len(set(keys.values())) == 2
