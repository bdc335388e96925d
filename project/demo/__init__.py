"""A small shop to look around in: its people, and three days of conversations up to now."""

from project.demo.loading import load_demo

__all__ = ["load_demo"]
