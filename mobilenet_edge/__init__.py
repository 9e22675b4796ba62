"""From (alpha, rho) to a trusted tradeoff table: MobileNet on small devices."""

__version__ = "0.1.0"
