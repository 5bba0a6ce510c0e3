"""The seam `render.protocol.Renderer`."""

from dataclasses import replace

import numpy as np
import pytest

from datagen.render.protocol import Renderer
from tests.render.test_cycles import chair_job
from tests.render.test_floor import scene

SIZE = 48


class RendererConformance:
    """A subclass says how to open its renderer."""

    def open(self) -> Renderer:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def renderer(cls):
        renderer = cls().open()
        yield renderer
        renderer.close()

    def job(self, shape):
        job = chair_job(shape, views=2)
        return replace(job, views=tuple(replace(v, camera=replace(v.camera, size_px=SIZE)) for v in job.views))

    def test_a_picture_a_view_and_the_same_bytes_again(self, renderer, plain_chair):
        job = self.job(plain_chair)
        first, again = renderer.render(job), renderer.render(job)
        assert [p.shape for p in first] == [(SIZE, SIZE, 3)] * 2 and all(p.dtype == np.uint8 for p in first)
        assert all((a == b).all() for a, b in zip(first, again, strict=True))
        assert all(p[0, 0].min() > 200 and p.min() < 200 for p in first), "an object on a white ground"

    def test_a_view_does_not_depend_on_the_others(self, renderer, plain_chair):
        job = self.job(plain_chair)
        assert (renderer.render(job)[1] == renderer.render(replace(job, views=job.views[1:]))[0]).all()

    def test_scenes_on_a_floor_too(self, renderer):
        job = scene()
        first, again = renderer.render(job), renderer.render(job)
        assert len(first) == len(job.views) and all((a == b).all() for a, b in zip(first, again, strict=True))

    def test_it_says_what_it_is(self, renderer):
        assert renderer.versions()["renderer"] and renderer.name and renderer.cpu_seconds() >= 0
        assert isinstance(renderer.flat, bool)
