"""Faults that can be switched on: the board that holds them and, one module a target, what they do."""
