"""What profiles and machines mean: doubts, comparisons, health."""
