"""`fsa cache`: see and clear what was compiled before."""

from __future__ import annotations

import os

import click

from fsa.errors import InputError
from fsa.suggestions import did_you_mean

ACTIONS = ("show", "path", "clear")
EPILOG = """\b
The cache is kept under its limit by removing what was not used for longest.
Environment:
  FSA_CACHE=0           compile without the cache
  FSA_CACHE_DIR=FOLDER  where it is
  FSA_CACHE_SIZE=500M   its limit [default: 2G]
"""


@click.command(epilog=EPILOG)
@click.argument("action", default="show", metavar="[show|path|clear]")
def command(action: str) -> None:
    """Show what the compile cache holds, print its folder, or clear it."""
    from fsa.runtime.cache import SWITCH, Cache, cache_folder, cache_limit

    if action not in ACTIONS:
        raise InputError(
            f"expected show, path or clear, found '{action}'{did_you_mean(action, ACTIONS)}"
        )
    cache = Cache(cache_folder(), cache_limit())
    if action == "path":
        click.echo(cache.folder)
    elif action == "clear":
        before = cache.statistics().entries
        click.echo(f"{cache.folder}: removed {before} files, {cache.clear():,} bytes")
    else:
        found = cache.statistics()
        off = f" (off: {SWITCH}=0)" if os.environ.get(SWITCH) == "0" else ""
        click.echo(
            f"{cache.folder}: {found.entries} files, {found.bytes:,} of {found.limit:,} bytes{off}"
        )
