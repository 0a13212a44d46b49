"""Layers that more than one method uses."""
