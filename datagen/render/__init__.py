"""Renderers behind one protocol: Cycles (in its own process), a numpy fake, and ray-cast geometry.

Turns a scene into pictures; knows no anomaly, no file layout and no dataset.
"""

from datagen.render.protocol import Renderer, open_renderer

__all__ = ["Renderer", "open_renderer"]
