"""The seam `anomalies.operator.Operator`."""

import json
import pickle

import numpy as np
import pytest

from datagen.anomalies import registry
from datagen.anomalies.operator import Operator, Setting
from datagen.core.anomaly import AnomalousShape, Rejected, spec_from_json
from datagen.core.ids import canonical_json
from datagen.core.plugins import Plugins
from datagen.core.rng import stream
from datagen.core.shape import Shape

NEEDS = {"donors", "neighbours", "materials", "skins"}


class OperatorConformance:
    """A subclass says which operator, on which shape, with what it may draw on. One of `tries` proposals is taken."""

    tries = 24
    replaces = False
    """Whether it puts another object in the place of the whole."""

    def operator(self) -> Operator:
        raise NotImplementedError

    def shape(self) -> Shape:
        raise NotImplementedError

    def setting(self) -> Setting:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls):
        """Operator, shape, setting, and a result that the operator makes of the shape."""
        one = cls()
        operator, shape, setting = one.operator(), one.shape(), one.setting()
        with pytest.MonkeyPatch.context() as patch:
            if operator.name not in registry.operators():  # of a package that is not installed
                patch.setattr(registry, "of_packages", lambda: Plugins({operator.name: operator}, {}))
            for attempt in range(one.tries):
                spec = one.proposed(operator, shape, setting, attempt)
                made = spec if isinstance(spec, Rejected) else operator.apply(shape, spec, setting)
                if isinstance(made, AnomalousShape):
                    yield operator, shape, setting, made, attempt
                    return
        raise AssertionError(f"{operator.name}: none of {one.tries} proposals is taken; the last: {made}")

    def proposed(self, operator, shape, setting, attempt):
        rng = stream(0, "conformance", operator.name, attempt)
        part = setting.policy.choose_part(shape, operator.name, rng) if operator.on_part else None
        return part if isinstance(part, Rejected) else operator.propose(shape, part, rng, setting)

    def test_it_says_what_it_is(self, case):
        operator = case[0]
        assert operator.name.isidentifier() and operator.name.islower() and isinstance(operator.on_part, bool)
        assert operator.needs <= NEEDS

    def test_the_same_draw_gives_the_same_spec_and_another_another(self, case):
        operator, shape, setting, made, attempt = case
        assert self.proposed(operator, shape, setting, attempt) == made.spec
        others = [self.proposed(operator, shape, setting, attempt + k) for k in range(1, 9)]
        assert any(other != made.spec for other in others)

    def test_a_spec_is_plain_json_and_all_that_apply_needs(self, case):
        operator, shape, setting, made, _ = case
        spec = spec_from_json(json.loads(canonical_json(made.spec.to_json())))
        again = pickle.loads(pickle.dumps(operator)).apply(shape, spec, setting)
        assert spec == made.spec and again.shape.digest == made.shape.digest and again.severity == made.severity

    def test_the_input_stays_as_it_was(self, case):
        operator, shape, setting, made, _ = case
        before = shape.digest
        operator.apply(shape, made.spec, setting)
        assert shape.digest == before and made.normal is shape

    def test_what_it_says_it_changed_is_what_differs(self, case):
        operator, shape, _, made, _ = case
        assert made.spec.kind == operator.name and 0 < made.severity <= 1 and made.part_ids
        assert (made.spec.part_id in made.part_ids) if operator.on_part else made.spec.part_id == 0
        if self.replaces:
            assert all(made.changed[part.part_id].all() for part in made.shape.parts)
            return
        parts = {part.part_id: part for part in made.shape.parts}
        for part in shape.parts:
            now = parts.get(part.part_id)
            assert (now is None) == (part.part_id in made.gone)
            if now is not None and part.part_id in made.changed:
                assert made.changed[part.part_id].shape == (len(now.mesh.faces),)
            if now is not None and part.part_id not in made.part_ids:
                assert np.allclose(now.mesh.bounds, part.mesh.bounds, atol=0.02 * shape.diagonal)

    def test_what_wears_a_skin_wears_one_afterwards(self, case):
        _, shape, _, made, _ = case
        if any(part.skin is None for part in shape.parts):
            pytest.skip("the shape wears no skins")
        for part in made.shape.parts:
            assert part.skin is not None and len(part.skin.slot) == len(part.mesh.faces)
            assert set(part.skin.materials) <= set(made.shape.palette)
