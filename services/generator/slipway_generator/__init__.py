"""The generator: has the model write or edit an app, and proves it."""
