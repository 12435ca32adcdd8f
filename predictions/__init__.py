"""What is claimed, and whether it holds.

The public names, all that a file of claims needs, stand in ``__init__.pyi``, where type checkers and editors find them.
Each is imported when it is first used: pytest loads this package in every session, and the decision rules promise to
need numpy and scipy alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
