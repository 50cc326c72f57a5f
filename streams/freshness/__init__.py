"""Which sources are silent, judged over all partitions: ``sources`` keeps the book, ``board`` shares it."""
