"""Matrix products inside compiled code: the BLAS that PyTorch brings, called by its address.

A step of a small network takes some ten microseconds; calling its products one by one from Python would take as long.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from grokscape.landscape.fused.compiled import compiled

#: Names of the products in Fortran's interface, by the kind of number.
NAMES = {torch.float32: "sgemm", torch.float64: "dgemm"}


@functools.cache
def product_address(dtype: torch.dtype) -> int:
    """Return where the matrix product of a kind of number lies in this process.

    That of PyTorch where it exports one (its builds for x86 contain MKL, which was 1.7 times as fast as SciPy's
    OpenBLAS on the shapes of our claims), else SciPy's.
    """
    for path in sorted((Path(torch.__file__).parent / "lib").glob("libtorch_cpu.*")):
        try:
            function = getattr(ctypes.CDLL(str(path)), f"{NAMES[dtype]}_")
        except (OSError, AttributeError):
            continue
        return int(ctypes.cast(function, ctypes.c_void_p).value or 0)
    return int(get_cython_function_address("scipy.linalg.cython_blas", NAMES[dtype]))


@intrinsic
def _gemm(typing: Any, address: Any, beta: Any, a: Any, b: Any, c: Any, sizes: Any, turned: Any) -> Any:  # noqa: ARG001
    """Call Fortran's product: what it takes for ``C = B A`` column by column is ``C = A B`` row by row."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, beta, a, b, c, sizes, turned = arguments
        anything = ir.IntType(8).as_pointer()
        kind = context.get_value_type(signature.args[1])

        def place(value: Any) -> Any:
            return builder.bitcast(cgutils.alloca_once_value(builder, value), anything)

        def letter(index: int) -> Any:
            byte = ir.IntType(8)
            return place(builder.select(builder.extract_value(turned, index), byte(ord("T")), byte(ord("N"))))

        m, n, k, lda, ldb, ldc = (
            place(builder.trunc(builder.extract_value(sizes, index), ir.IntType(32))) for index in range(6)
        )
        a, b, c = (builder.inttoptr(value, anything) for value in (a, b, c))
        function = builder.inttoptr(address, ir.FunctionType(ir.VoidType(), [anything] * 13).as_pointer())
        ours = [letter(1), letter(0), n, m, k, place(kind(1.0)), b, ldb, a, lda, place(beta), c, ldc]
        builder.call(function, ours)
        return context.get_dummy_value()

    return types.void(address, beta, a, b, c, sizes, turned), generate


@compiled()
def product(address, a, b, out, beta):
    """``out = a b + beta out``, all row by row."""
    sizes = (a.shape[0], b.shape[1], a.shape[1], a.shape[1], b.shape[1], out.shape[1])
    _gemm(address, beta, a.ctypes.data, b.ctypes.data, out.ctypes.data, sizes, (False, False))


@compiled()
def product_left_turned(address, a, b, out, beta):
    """``out = a^T b + beta out``."""
    sizes = (a.shape[1], out.shape[1], a.shape[0], a.shape[1], b.shape[1], out.shape[1])
    _gemm(address, beta, a.ctypes.data, b.ctypes.data, out.ctypes.data, sizes, (True, False))


@compiled()
def product_right_turned(address, a, b, out, beta):
    """``out = a b^T + beta out``."""
    sizes = (a.shape[0], b.shape[0], b.shape[1], a.shape[1], b.shape[1], out.shape[1])
    _gemm(address, beta, a.ctypes.data, b.ctypes.data, out.ctypes.data, sizes, (False, True))


@compiled()
def product_both_turned(address, a, b, out, beta):
    """``out = a^T b^T + beta out``."""
    sizes = (a.shape[1], b.shape[0], a.shape[0], a.shape[1], b.shape[1], out.shape[1])
    _gemm(address, beta, a.ctypes.data, b.ctypes.data, out.ctypes.data, sizes, (True, True))
