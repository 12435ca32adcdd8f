"""The Marchenko-Pastur law, and what it says of learning a linear map from Gaussian inputs.

With N examples of d inputs each, ``lambda = d / N``, the eigenvalues nu of ``X'X / N`` follow in the limit of many::

    p(nu) = sqrt((nu_+ - nu)(nu - nu_-)) / (2 pi lambda nu)   on   nu_+- = (1 +- sqrt(lambda))^2

and for lambda > 1 a share ``1 - 1 / lambda`` of them is 0. A student that starts at unit distance from its teacher has
after time t of gradient flow, at learning rate eta and with one output, the losses (Levi, Beck and Bar-Sinai 2023,
arXiv:2310.16441, equations 5 to 12)::

    L_train = E[nu e^(-4 eta nu t)],     L_test = E[e^(-4 eta nu t)]
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv, hyp0f1, ive

from grokscape.landscape.errors import InvalidInput

#: Fewest nodes of the quadrature: enough for exponentials that only the edge of the spectrum survives.
_NODES = 2000


def edges(ratio: float) -> tuple[float, float]:
    """Return the ends of the spectrum, ``(1 -+ sqrt(lambda))^2``.

    Raises
    ------
    InvalidInput
        If lambda is not positive.
    """
    if not ratio > 0:
        raise InvalidInput(f"lambda is {ratio}, expected a positive number of inputs for each example")
    return (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2


def mean(function: Callable[[np.ndarray], np.ndarray], ratio: float) -> np.ndarray:
    """Return the expectation of a function of the eigenvalue.

    By Gauss-Chebyshev quadrature of the second kind: with ``nu = 1 + lambda + 2 sqrt(lambda) cos(theta)``,
    ``E[f] = 2/pi * integral of sin(theta)^2 f(nu) / nu``, plus ``(1 - 1 / lambda) f(0)`` for lambda > 1.

    Parameters
    ----------
    function : callable
        From eigenvalues (nodes,) to values (..., nodes).
    ratio : float
        lambda; not 1, where what is integrated has a pole.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    InvalidInput
        If lambda is not positive, or is 1.
    """
    low, _ = edges(ratio)
    if low == 0:
        raise InvalidInput("lambda is 1, where the spectrum reaches 0; choose a number of examples that differs")
    # The pole of 1 / nu leaves an error of lambda^nodes (or its inverse): 1e-13 at 30 / |ln lambda|.
    nodes = max(_NODES, math.ceil(30 / abs(math.log(ratio))))
    angle = np.arange(1, nodes + 1) * np.pi / (nodes + 1)
    eigenvalue = 1 + ratio + 2 * math.sqrt(ratio) * np.cos(angle)
    weight = 2 / (nodes + 1) * np.sin(angle) ** 2 / eigenvalue
    bulk = np.asarray(np.asarray(function(eigenvalue)) @ weight)
    if ratio <= 1:
        return bulk
    return np.asarray(bulk + (1 - 1 / ratio) * np.asarray(function(np.zeros(1)))[..., 0])


def losses(time: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and the test loss of gradient flow, relative to the test loss at the start.

    Parameters
    ----------
    time : array, shape (times,)
        ``eta t / d_out``.
    ratio : float
        lambda.
    """
    time = np.asarray(time, float)[:, None]
    train = mean(lambda nu: nu * np.exp(-4 * nu * time), ratio)
    return train, mean(lambda nu: np.exp(-4 * nu * time), ratio)


def training_loss(time: np.ndarray, ratio: float) -> np.ndarray:
    """Return the training loss in closed form (equation 9).

    It is ``e^(-4 (lambda + 1) T) 0F1(2; 16 T^2 lambda)`` at ``T = eta t / d_out``. Where the second factor
    would overflow, it is computed as the Bessel function that it is: ``0F1(2; z^2 / 4) = 2 I_1(z) / z``.
    """
    time = np.asarray(time, float)
    argument = 8 * time * math.sqrt(ratio)
    small = argument < 1
    bessel = 2 * ive(1, argument) / np.where(small, 1.0, argument)
    first = np.exp(-4 * (ratio + 1) * time) * hyp0f1(2, np.where(small, 16 * time**2 * ratio, 0.0))
    return np.asarray(np.where(small, first, bessel * np.exp(argument - 4 * (ratio + 1) * time)))


def accuracy(loss: np.ndarray, threshold: float, outputs: int = 1) -> np.ndarray:
    """Return the share of examples whose squared error, averaged over outputs, is at most the threshold.

    ``P(d / 2, d epsilon / (2 L))``, the regularised lower incomplete gamma function; ``erf(sqrt(epsilon / (2 L)))`` for
    one output. Errors of an example's outputs are independent and normal here.
    """
    return np.asarray(gammainc(outputs / 2, outputs * threshold / (2 * np.asarray(loss))))


def loss_at(share: float, threshold: float, outputs: int = 1) -> float:
    """Return the loss at which a share of examples is accurate: epsilon / 3.84 for 95 % and one output."""
    return float(outputs * threshold / (2 * gammaincinv(outputs / 2, share)))


def gap(ratio: float, threshold: float, *, lr: float, outputs: int = 1, share: float = 0.95) -> float:
    """Return the steps between the training and the test accuracy's reaching a share, by quadrature.

    Infinite for lambda > 1 if the test loss stays above what is asked for.
    """
    wanted = loss_at(share, threshold, outputs) * outputs  # relative to the loss at the start, 1 / d_out
    train, test = (_reach(which, ratio, wanted) for which in (0, 1))
    return (test - train) * outputs / lr


def _reach(which: int, ratio: float, wanted: float) -> float:
    def excess(log_time: float) -> float:
        return math.log(losses(np.array([math.exp(log_time)]), ratio)[which][0] / wanted)

    if wanted >= 1:
        return 0.0
    low, high = edges(ratio)
    stays = max(0.0, 1 - 1 / ratio) if which == 1 else 0.0
    if stays >= wanted:
        return math.inf
    latest = math.log(math.log(10 * max(1.0, high) / (wanted - stays)) / (4 * low))
    return math.exp(brentq(excess, -20.0, latest, xtol=1e-12))


def limiting_gap(ratio: float, *, lr: float) -> float:
    """Return the gap for a vanishing threshold, ``ln(1 / (1 - sqrt(lambda))) / (2 eta (1 - sqrt(lambda))^2)`` (Eq 12).

    Raises
    ------
    InvalidInput
        If lambda is 1 or more: there the test loss does not come down with the training loss.
    """
    if ratio >= 1:
        raise InvalidInput(
            f"lambda is {ratio}, expected less than 1: with fewer examples than inputs there is no limit"
        )
    distance = 1 - math.sqrt(ratio)
    return math.log(1 / distance) / (2 * lr * distance**2)


def decayed_losses(decay: float, ratio: float, teacher: float = 0.5) -> tuple[float, float]:
    """Return the training and test losses that remain under weight decay.

    ``|T|^2 E[nu (gamma / (gamma + 2 nu))^2]`` and the same without the first nu (Eq 15 at late times): for small gamma
    and lambda < 1, ``gamma^2 / (8 (1 - lambda))`` and ``gamma^2 / (8 (1 - lambda)^3)``.

    Parameters
    ----------
    decay : float
        gamma.
    ratio : float
        lambda.
    teacher : float
        ``|T|^2 / d_out``.
    """
    train = mean(lambda nu: nu * (decay / (decay + 2 * nu)) ** 2, ratio)
    return teacher * float(train), teacher * float(mean(lambda nu: (decay / (decay + 2 * nu)) ** 2, ratio))
