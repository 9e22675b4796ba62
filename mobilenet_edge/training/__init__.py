"""Training on pictures of one's own: features of a frozen body, a head on them, and fine-tuning."""
