"""Modules of the user's own, by dotted name or by the path of a file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import error_text

#: Modules imported from a file get names that begin so.
USER_PREFIX = "grokscape_user_"


def import_module(name: str) -> ModuleType:
    """Import a module by dotted name, or a file by its path (ending in .py).

    Raises
    ------
    InvalidInput
        If it cannot be imported; says why.
    """
    try:
        if not name.endswith(".py"):
            return importlib.import_module(name)
        path = Path(name).resolve()
        alias = f"{USER_PREFIX}{path.stem}"
        if alias in sys.modules and getattr(sys.modules[alias], "__file__", None) == str(path):
            return sys.modules[alias]
        spec = importlib.util.spec_from_file_location(alias, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[alias] = module
        if str(path.parent) not in sys.path:  # as for a script: what lies beside it can be imported
            sys.path.append(str(path.parent))
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[alias]
            raise
        return module
    except (InvalidInput, KeyboardInterrupt):
        raise
    except SystemExit as error:
        raise InvalidInput(
            f"{name} ends the program when it is imported; put what it runs under if __name__ == '__main__': "
            f"({error_text(error)})"
        ) from error
    except BaseException as error:
        reason = error_text(error)
        raise InvalidInput(f"module {name!r} does not import ({reason}); give a file.py or a dotted name") from error
