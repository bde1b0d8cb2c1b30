"""Settings of all tests."""

import os

from hypothesis import settings

# A deadline is a timed assertion, and machines are shared.
settings.register_profile("fsa", deadline=None, print_blob=True)
settings.load_profile("fsa")

# Each test compiles what it tests, and leaves the user's cache alone; those of the cache have
# folders of their own.
os.environ["FSA_CACHE"] = "0"
