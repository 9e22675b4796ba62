"""Pictures, labels, and the rule that turns a picture into a model's input."""
