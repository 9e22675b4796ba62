"""Check artifacts against budgets: limits, current figures and the figures of a baseline."""
