"""What is trained and measured.

The public names stand in ``__init__.pyi``, where type checkers and editors find them. Each is imported when it is first
used, so that a module that needs only one of them (or only the package's errors) does not wait for PyTorch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
