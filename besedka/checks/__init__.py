"""Doctor: checks of a stack, in layers, and the findings they lead to."""
