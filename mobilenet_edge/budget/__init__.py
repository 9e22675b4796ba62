"""Budgets: what artifacts may cost, what they do cost, and what they cost before."""
