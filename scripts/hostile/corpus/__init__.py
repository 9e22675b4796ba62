"""Damaged and hostile files, made from sound ones by a seed; and what `mnet` makes of them."""
