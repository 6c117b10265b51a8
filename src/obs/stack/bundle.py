"""Where the files that ship beside the code are: in a checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

from obs.errors import StackError

_PACKAGE = Path(__file__).resolve().parent.parent


def root() -> Path:
    """Return the directory that holds `specs/`, `stack/` and `tools/`.

    Raises:
        StackError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / "_bundle", _PACKAGE.parent.parent):
        if (candidate / "stack" / "small" / "prometheus.yml").is_file():
            return candidate
    raise StackError(
        "the files that ship with obs (specs, stack, tools) are missing from this installation",
        where=str(_PACKAGE),
        hint="reinstall it: pip install --force-reinstall 'obs-kit[tools]'",
    )


def path(*parts: str) -> Path:
    """Return the path of one bundled file or directory, such as `path("specs", "shop")`.

    Raises:
        StackError: it does not exist.
    """
    found = root().joinpath(*parts)
    if not found.exists():
        raise StackError("a file that ships with obs is missing", where=str(found))
    return found
