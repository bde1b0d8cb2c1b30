"""Settings of all tests."""

from hypothesis import settings

# A deadline is a timed assertion, and machines are shared.
settings.register_profile("fsa", deadline=None, print_blob=True)
settings.load_profile("fsa")
