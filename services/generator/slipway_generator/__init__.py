"""The generator: has the model write or edit the app, and proves it."""

VERSION = "0.1.0"
