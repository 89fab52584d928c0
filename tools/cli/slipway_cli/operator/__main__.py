"""`python -m slipway_cli.operator`: the operator's program alone, as its image runs it."""

from slipway_cli.operator import operator_app

if __name__ == "__main__":
    operator_app()
