"""People with matters to settle and a company with channels: events, and the truth about them.

Knows nothing of how events are judged: it imports nothing of :mod:`detectors` and reads no policy, so that
what is measured on it was not made for the measure. ``docs/simulate.md`` says what it models.
"""
