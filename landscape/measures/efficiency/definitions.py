"""What "efficiency" means: the formulas alone, on tensors of outputs and a norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from grokscape.landscape.classification import label_logit, margin
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.efficiency.scale_at_loss import scale_at_loss
from grokscape.landscape.objectives import cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]
Number = TypeVar("Number", float, Tensor)

#: Name of each definition -> the formula in words. Larger is more efficient in all of them.
DEFINITIONS = {
    "margin": "mean margin / norm^κ",
    "label_logit": "mean centred label logit / norm^κ",
    "min_margin": "minimum margin / norm^κ",
    "inverse_norm_at_unit_margin": "1 / norm at which the mean margin is 1",
    "inverse_norm_at_loss": "1 / norm at which the loss is the level",
}


def margin_per_norm(margin: Number, norm: Number, kappa: float) -> Number:
    """Return ``margin / norm^kappa``: what a parameter norm buys.

    In a network homogeneous of degree kappa, multiplying all parameters by c multiplies margin and ``norm^kappa`` alike
    by ``c^kappa``; so this does not depend on the scale, and networks of different logits compare.

    Parameters
    ----------
    margin : float or Tensor
        Usually the mean over training examples of ``z_label - max(other z)``.
    norm : float or Tensor
        L2 norm of the parameters that count.
    kappa : float
        Degree of homogeneity.
    """
    return margin / norm**kappa


def efficiency_of(
    outputs: Tensor,
    labels: Tensor,
    norm: Tensor | float,
    kappa: float,
    definition: str = "margin",
    *,
    level: float | None = None,
    loss: Loss = cross_entropy,
) -> Tensor:
    """Return the efficiency of outputs that cost a norm: of whole networks, or of a part with outputs of its own.

    Parameters
    ----------
    outputs : Tensor, shape (..., n, n_classes)
        Logits z on the training examples.
    labels : Tensor of int64, shape (n,)
    norm : Tensor or float, shape (...)
        What the outputs cost: the L2 norm of the parameters that make them.
    kappa : float
        Degree of homogeneity of the outputs in those parameters.
    definition : str
        - ``margin``: ``mean_i m_i / norm^kappa`` with the margin ``m_i = z_label - max(other z)``. The one used
          throughout; for kappa = 2 it is what the claims about circuit efficiency measure.
        - ``label_logit``: ``mean_i (z_label - mean z) / norm^kappa``; the correct logit, which Varma et al. 2023
          (arXiv:2309.02390, section 5.1) hold against the norm, made free of scale.
        - ``min_margin``: ``min_i m_i / norm^kappa``, the normalised margin of Lyu and Li 2020 (arXiv:1906.05890,
          section 2), which gradient flow on a homogeneous network increases.
        - ``inverse_norm_at_unit_margin``: ``1 / P`` with the norm ``P = norm / (mean_i m_i)^(1 / kappa)`` of the
          circuit scaled to unit mean margin, as the P_i of Varma et al. (section 3 and appendix D). It is
          ``margin^(1 / kappa)``; NaN if the mean margin is negative.
        - ``inverse_norm_at_loss``: ``1 / (c norm)`` with the smallest scale c at which the mean loss of ``c^kappa z``
          is `level`; NaN if no scale reaches it, as when an example is misclassified and the level is low.
    level : float, optional
        Training loss; for ``inverse_norm_at_loss`` alone.
    loss : callable
        ``loss(outputs, labels)``, one value per example or their mean; for ``inverse_norm_at_loss``.

    Returns
    -------
    Tensor, float64, shape (...)

    Raises
    ------
    InvalidInput
        If the definition is unknown, its level missing, a norm not positive, kappa not positive or shapes do not fit.
    """
    if definition not in DEFINITIONS:
        raise InvalidInput(f"definition is {definition!r}, expected one of {', '.join(DEFINITIONS)}")
    if outputs.ndim < 2 or outputs.shape[-2:-1] != labels.shape or labels.is_floating_point():
        raise InvalidInput(
            f"outputs have shape {tuple(outputs.shape)} and labels {tuple(labels.shape)} of {labels.dtype}, expected "
            "(..., n, n_classes) and n class indices"
        )
    if outputs.shape[-1] < 2:
        raise InvalidInput("outputs have one class, expected two or more: a single one has no margin")
    if not kappa > 0:
        raise InvalidInput(f"kappa is {kappa}, expected a positive degree of homogeneity; otherwise norm buys nothing")
    z = outputs.double()
    size = torch.as_tensor(norm, dtype=torch.float64, device=z.device)
    if not (size > 0).all():
        raise InvalidInput(f"norm is {norm}, expected positive numbers")
    wide = labels.expand(z.shape[:-1])
    if definition == "label_logit":
        return margin_per_norm(label_logit(z, wide).mean(-1), size, kappa)
    if definition == "min_margin":
        return margin_per_norm(margin(z, wide).amin(-1), size, kappa)
    if definition != "inverse_norm_at_loss":
        per_norm = margin_per_norm(margin(z, wide).mean(-1), size, kappa)
        return per_norm if definition == "margin" else per_norm ** (1 / kappa)
    if level is None:
        raise InvalidInput("level is not given, but 'inverse_norm_at_loss' needs a training loss, such as level=0.01")
    flat = z.reshape(-1, *z.shape[-2:])

    def loss_at(scales: Tensor) -> Tensor:
        return torch.stack([loss(c**kappa * one, labels).mean() for c, one in zip(scales, flat, strict=True)])

    scales, _ = scale_at_loss(loss_at, level, len(flat))
    return 1 / (scales.to(z.device).reshape(z.shape[:-2]) * size)
