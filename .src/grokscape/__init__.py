"""Grokscape: a testbed for theories of grokking.

`grokscape.landscape` is what is trained and measured, `grokscape.predictions` what is claimed and whether it holds, and
`grokscape.reports` what people see. The names that nearly everyone needs can be had from here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
