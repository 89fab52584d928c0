"""The deployer: one commit and one Pages site out of a generated app."""

__version__ = "0.1.0"
