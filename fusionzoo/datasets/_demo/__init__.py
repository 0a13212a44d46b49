"""Drawn street scenes: layout, geometry, materials, light and heat."""
