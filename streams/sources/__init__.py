"""Sources: one adapter a file format, each turning rows into events of the vocabulary, with its counts."""
