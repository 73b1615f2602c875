"""Images, and the engine that runs them."""

from tests.images.built import engine, images, room

__all__ = ["engine", "images", "room"]
