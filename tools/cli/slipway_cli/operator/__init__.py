"""The operator's program: submit, status, watch, dead-letters, replay, topology."""

from slipway_cli.operator.app import operator_app

__all__ = ["operator_app"]
