"""How right the findings are: measured where the truth is known, with intervals, beside the trivial answer."""
