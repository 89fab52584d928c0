"""Measurements of Slipway, and the long runs in which things are killed."""
