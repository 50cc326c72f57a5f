"""Constructed customers for a demonstration: people with a story, on every channel at once.

No public data set follows one customer across web, chat and phone, so the demonstration makes some up. They
show what the product does; nothing is ever tuned or measured on them.
"""
