"""The intake: takes task requests, answers once the broker has them, tells where every job stands."""

__version__ = "0.1.0"
