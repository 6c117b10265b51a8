"""The pages of the runbooks, served by this very installation of obs."""

from __future__ import annotations

import sys

from obs._version import __version__
from obs.stack import bundle
from obs.stack.launches.launch import Launch
from obs.stack.launches.setup import Setup
from obs.stack.servers import SHARED_PATHS


def runbooks(setup: Setup) -> Launch:
    """Return how the console is started."""
    directory = setup.directory("runbooks")
    pages = (setup.config.runbooks or bundle.path("runbooks")).absolute()
    return Launch(
        name="runbooks",
        argv=(
            *(sys.executable, "-m", "obs.console", "--runbooks", str(pages)),
            *("--port", str(setup.site.numbers["runbooks", "http"])),
            # Of `obs stack certs`; where it was never run there is nothing to watch.
            *("--certs", str(setup.site.directory / SHARED_PATHS["/etc/obs/certs"])),
        ),
        endpoint=setup.endpoint("runbooks"),
        url=setup.url("runbooks"),
        ports=setup.ports("runbooks"),
        version=__version__,
        route="obs",
        # Not the user's directory: a file there could stand in for one of our modules.
        directory=directory,
        config=pages,
    )
