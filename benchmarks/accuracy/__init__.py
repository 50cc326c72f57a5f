"""How right the findings are, where the truth is known: with intervals, beside the trivial answer."""
