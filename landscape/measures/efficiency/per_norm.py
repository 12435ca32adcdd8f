"""Circuit efficiency: what a parameter norm buys (Varma et al. 2023, arXiv:2309.02390)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.classification import label_logit, margin
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.efficiency.definitions import efficiency_of
from grokscape.landscape.measures.efficiency.degree import homogeneity, networks
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.measures.several import with_gaps
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import concatenate


@dataclass(frozen=True, kw_only=True)
class Efficiency(Result):
    """The efficiency of one or several networks.

    Attributes
    ----------
    definition : str
        See `grokscape.landscape.measures.efficiency.definitions.efficiency_of`.
    value : array, shape (networks,)
    standard_error : array, shape (networks,)
        Over examples, with norm and kappa held fixed; NaN for definitions that are no mean over examples.
    kappa : float
        Degree of homogeneity used, the same for all networks, so that their values compare.
    degree : array, shape (networks,)
        Each network's own estimate of kappa.
    homogeneous : array of bool, shape (networks,)
        Whether the network passed the checks of `homogeneity`. Where it did not, or where its degree is not `kappa`,
        the value depends on the scale of the parameters.
    norm, loss : array, shape (networks,)
        L2 norm of the included parameters; mean loss.
    margin : array, shape (networks, n)
        ``z_label - max(other z)`` of every example.
    level : float or None
        Training loss at which norms are compared, for ``inverse_norm_at_loss``.
    split : str
    cost : Cost
    """

    definition: str
    value: np.ndarray
    standard_error: np.ndarray
    kappa: float
    degree: np.ndarray
    homogeneous: np.ndarray
    norm: np.ndarray
    loss: np.ndarray
    margin: np.ndarray
    level: float | None
    split: str
    cost: Cost

    @property
    def converged(self) -> np.ndarray:
        """Whether the value is finite, shape (networks,): nothing is iterated."""
        return np.isfinite(self.value)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each network."""
        names = ("value", "standard_error", "degree", "homogeneous", "norm", "loss")
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame(
            {"network": np.arange(len(self.value)), "definition": self.definition}
            | columns
            | {"mean_margin": self.margin.mean(1), "min_margin": self.margin.min(1), "kappa": self.kappa}
        )


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def efficiency(
    problem: Problem,
    *,
    params: Tensor | None = None,
    definition: str = "margin",
    kappa: float | None = None,
    level: float | None = None,
    included: str | Sequence[str] | None = None,
    split: str = "train",
) -> Efficiency:
    """Measure what the norm of one or several networks buys: by default mean training margin per ``norm^kappa``.

    Parameters
    ----------
    problem : Problem
        Outputs of shape (n, n_classes), targets n class indices.
    params : Tensor, shape (networks, P), optional
        By default the network that the problem starts from. A network whose weights are not finite has NaN for every
        value.
    definition : str
        One of `DEFINITIONS`, described in `grokscape.landscape.measures.efficiency.definitions.efficiency_of`.
    kappa : float, optional
        Degree of homogeneity; by default the median over networks of what `homogeneity` estimates.
    level : float, optional
        Training loss, needed by ``inverse_norm_at_loss``.
    included : str or sequence of str, optional
        Glob patterns of the tensors whose norm counts (and in which kappa is estimated); by default all.
    split : {"train", "test"}

    Returns
    -------
    Efficiency
        At a cost of about three evaluations and two gradients of each network.

    Raises
    ------
    InvalidInput
        If outputs or targets are not those of a classifier, kappa is not positive or not defined, no network reaches
        the level, or an option is unknown.

    Examples
    --------
    >>> from grokscape.landscape import efficiency
    >>> from grokscape.landscape.measures.examples import classifier  # both margins are 1, the norm is the root of 2
    >>> print(efficiency(classifier()).value.round(4))
    [0.7071]
    """
    if level is not None and not level > 0:
        raise InvalidInput(f"the training loss asked for is {level}, expected a positive number, such as level=0.01")
    if split == "test":
        problem.need_test("efficiency on the test split")
    params = networks(problem, params)
    good = torch.isfinite(params).all(1)
    if not good.all():
        options = {"kappa": kappa, "level": level, "included": included, "split": split}
        some = efficiency(problem, params=params[good], definition=definition, **options)  # type: ignore[arg-type]
        arrays = ("value", "standard_error", "degree", "homogeneous", "norm", "loss", "margin")
        return with_gaps(some, good.cpu().numpy(), *arrays)
    norm = Sphere(problem, included).norm(params.double()).squeeze(1)
    outputs, labels = _classified(problem, params, split)
    found = homogeneity(problem, params=params, split=split, included=included)
    if kappa is None:
        kappa = float(np.nanmedian(found.degree))

    def loss(outputs: Tensor, labels: Tensor) -> Tensor:
        # In the problem's precision: a loss may have weights of its own.
        return problem.output_loss(outputs.to(problem.dtype), labels).detach().double()

    value = efficiency_of(outputs, labels, norm, kappa, definition, level=level, loss=loss)
    if value.isnan().all():
        raise InvalidInput(
            f"no network has a {definition!r}: its level is not reached at any scale, because examples are "
            "misclassified; train longer, or choose a higher level"
        )
    losses = torch.stack([loss(one, labels) for one in outputs])
    return Efficiency(
        definition=definition,
        value=_array(value),
        standard_error=_array(_standard_error(outputs, labels, norm, kappa, definition)),
        kappa=kappa,
        degree=found.degree,
        homogeneous=found.homogeneous,
        norm=_array(norm),
        loss=_array(losses),
        margin=_array(margin(outputs, labels.expand(outputs.shape[:-1]))),
        level=level,
        split=split,
        cost=found.cost + Cost(evaluations=len(params)),
    )


@torch.no_grad()
def _classified(problem: Problem, params: Tensor, split: str) -> tuple[Tensor, Tensor]:
    """Return all outputs, float64 (networks, n, n_classes), and labels (n,)."""
    outputs = [problem.outputs_of(params, inputs) for inputs, _ in problem.batches[split]]
    _, labels = concatenate([(None, targets) for _, targets in problem.batches[split]])
    alike = all(isinstance(z, Tensor) and z.shape[2:] == outputs[0].shape[2:] for z in outputs)
    whole = torch.cat(outputs, 1) if alike else outputs[0]
    class_indices = isinstance(labels, Tensor) and not labels.is_floating_point()
    if not isinstance(whole, Tensor) or whole.ndim != 3 or not class_indices or labels.shape != whole.shape[1:2]:
        raise InvalidInput(
            "efficiency needs outputs of shape (n, n_classes) and n class indices as targets, found "
            f"{tuple(whole.shape[1:]) if isinstance(whole, Tensor) else type(whole).__name__} and "
            f"{f'{tuple(labels.shape)} of {labels.dtype}' if isinstance(labels, Tensor) else type(labels).__name__}; "
            "let the model return the logits alone, and give one label for each example"
        )
    if whole.shape[2] < 2:
        raise InvalidInput("efficiency needs outputs of two classes or more, found one, which has no margin")
    if wrong := labels[(labels < 0) | (labels >= whole.shape[2])].tolist():
        raise InvalidInput(
            f"targets hold {wrong[0]}, expected class indices from 0 to {whole.shape[2] - 1}; leave examples without a "
            "class out of the data"
        )
    return whole.double(), labels.long()


def _standard_error(outputs: Tensor, labels: Tensor, norm: Tensor, kappa: float, definition: str) -> Tensor:
    """Return the standard error over examples (networks,), NaN where that has no meaning."""
    wide = labels.expand(outputs.shape[:-1])
    samples = (label_logit if definition == "label_logit" else margin)(outputs, wide)
    n = samples.shape[1]
    if n < 2 or definition in ("min_margin", "inverse_norm_at_loss"):
        return torch.full_like(norm, torch.nan)
    error = samples.std(1) / n**0.5
    if definition == "inverse_norm_at_unit_margin":  # d m^(1/kappa) = m^(1/kappa - 1) / kappa dm
        return samples.mean(1) ** (1 / kappa - 1) / kappa * error / norm
    return error / norm**kappa


def _array(values: Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
