"""How measurements are laid out over processes, rounds and machines, and become records."""
