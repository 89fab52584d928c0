"""`slipway doctor`: what a real run needs, each part looked at from outside; nothing is changed anywhere."""
