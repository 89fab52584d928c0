"""The notifier: tells the evaluator where the page is."""

__version__ = "0.1.0"
