"""Training steps through ``torch.compile``, which needs a tool chain that may be missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor


def compiled_or_plain(
    function: Callable[[Tensor], None], plain: Callable[[int], None], rows: Tensor, failed: Callable[[], None]
) -> Callable[[int], None]:
    """Compile one form of the update; where no compiler works, warn, report it and use the plain one."""
    chosen = torch.compile(function)
    broken = proven = False

    def call(number: int) -> None:
        nonlocal broken, proven
        if not broken:
            try:
                chosen(rows.new_tensor(float(number)))
            except Exception as error:  # whatever a tool chain can raise before it has ever worked
                if proven:
                    raise
                warnings.warn(f"torch.compile failed, going on without: {error!s:.200}", stacklevel=2)
                broken = True
                failed()
            else:
                proven = True
                return
        plain(number)

    return call
