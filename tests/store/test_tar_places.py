"""Places of packed files: a mapping sorted by path that takes little memory."""

import tracemalloc

import numpy as np
import pytest

from datagen.store.places import Places, TarPlace


def made(names):
    return [(name, TarPlace(f"shards/{len(name) % 3}.tar", 512 * k, k)) for k, name in enumerate(names)]


@pytest.mark.parametrize("shuffled", [False, True])
def test_it_answers_as_a_sorted_dictionary(shuffled):
    names = sorted({f"images/{k % 17}-ö/{k * k % 301}.png" for k in range(300)} | {"images0", "a", "images/1"})
    if shuffled:
        names = [names[k] for k in np.random.default_rng(0).permutation(len(names))]
    told = dict(made(names))
    places = Places(made(names))
    assert list(places) == sorted(told) and len(places) == len(told) and dict(places.items()) == told
    assert "images" not in places and "zzz" not in places and places.get("zz") is None
    assert places.below("images/3-ö") == sorted(name for name in told if name.startswith("images/3-ö/"))
    assert places.below("none") == [] and places.shards == ("shards/0.tar", "shards/1.tar", "shards/2.tar")


def test_the_later_of_two_places_counts():
    places = Places([("a", TarPlace("one", 0, 1)), ("b", TarPlace("one", 9, 1)), ("a", TarPlace("two", 5, 6))])
    assert places["a"] == TarPlace("two", 5, 6) and list(places) == ["a", "b"]
    assert not Places() and list(Places()) == [] and Places().below("a") == []


def test_a_file_takes_little_more_than_its_name():
    tracemalloc.start()
    places = Places((f"images/{k:040d}/{k:010d}.png", TarPlace("one", k, k)) for k in range(20_000))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held / len(places) < 130
