"""Gaussian process classification by variational inference, trained on its evidence lower bound by GPyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from grokscape.landscape.errors import NotPositiveDefinite, Unavailable
from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.learners.gaussian_process_classification import GaussianProcessClassification
from grokscape.landscape.learners.training_log import TrainingLog

#: Added to the diagonal of a kernel matrix before it is factorised, GPyTorch's own choice in float64. The unwhitened
#: prior that q is held against has 1e-3 there, which GPyTorch leaves nobody a choice about.
JITTER = 1e-6


@dataclass(frozen=True, kw_only=True)
class VariationalClassification(GaussianProcessClassification, kind="variational_classification"):
    """A Gaussian process classifier with a probit likelihood, in a variational approximation with full covariance.

    The latent values at the training inputs have a Gaussian approximate posterior q. Full-batch Adam minimises
    ``(-E_q log p(y | f) + w KL(q | p)) / n`` over q and the prior p alike: its kernel (a length for each dimension) and
    its mean. All is done in float64 by GPyTorch, an optional package.

    "parametrisation" says what is held fixed when the prior moves. Unwhitened, as in Miller et al. 2023
    (arXiv:2310.17247), mean m and covariance S of q itself: since q stands where the data are, the fit does not depend
    on the kernel at all, which moves by the divergence alone. Whitened, the usual choice, mean and covariance of ``v``
    with ``f = mean + K^1/2 v``: then it moves by the fit too.

    It records, by step, "loss" (minus the log of a label's probability) and "error" (share of labels that differ from
    the sign of the latent mean: probabilities round to 1/2) on "train" and "test"; "log outputscale", "mean", and
    "lengthscale 1", ...; "fit", ``-E_q log p(y | f) / n``; "kernel gradient", the norm of the objective's gradient by
    the kernel's parameters; and "complexity", ``KL(q | p) / n``. That is measured from a prior that is trained too, so
    it can change although q does not; it is at least 0, and comparable with that of `LaplaceClassification` up to
    approximation and likelihood.

    Parameters
    ----------
    parametrisation : {"unwhitened", "whitened"}
    divergence_weight : float
        w.
    mean : {"learnt", "zero"}
        Of the prior: a constant that is trained, or none.
    train_kernel : bool

    Notes
    -----
    The other parameters are those of every `GaussianProcessClassification`. The approximate posterior starts at the
    prior, without the noise of 1e-3 that GPyTorch adds by default.
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss", "error")),
        "": ("fit", "complexity", "kernel gradient", "mean", "log outputscale", "lengthscale *"),
    }

    parametrisation: Literal["unwhitened", "whitened"] = "unwhitened"
    divergence_weight: float = 1.0
    mean: Literal["learnt", "zero"] = "learnt"
    train_kernel: bool = True

    square_matrices: ClassVar[int] = 12
    cross_matrices: ClassVar[int] = 4

    def validate(self) -> None:
        super().validate()
        self.refuse_extremes("divergence_weight", least=1e-12, most=1e12)
        if self.divergence_weight < 0:
            self.refuse("divergence_weight", "not negative")

    @property
    def work(self) -> float:
        return self.steps * (8e7 + 40 * self.n_train**3 + 10 * self.n_train**2 * self.population.dimensions)

    @property
    def tensors(self) -> dict[str, tuple[Tensor, Tensor]]:
        """The examples as GPyTorch takes them."""
        return {split: (torch.from_numpy(x), torch.from_numpy(y).double()) for split, (x, y) in self.examples.items()}

    @classmethod
    def train(cls, batch: Sequence[Any], session: Session) -> Iterator[tuple[Experiment, Outcome]]:
        for number, experiment in enumerate(batch):

            def report(share: float, number: int = number) -> None:
                session.report((number + share) / len(batch))

            yield experiment, experiment.trained(report)

    def trained(self, report: Any) -> Outcome:
        """Train; `report` receives the share that is done.

        Raises
        ------
        Unavailable
            Without GPyTorch.
        NotPositiveDefinite
            If a kernel matrix has no Cholesky factor with the jitter above.
        """
        model, likelihood = self.build()
        gpytorch = _gpytorch()
        from linear_operator.utils.errors import NotPSDError

        kernel_parameters = list(model.covar_module.parameters())
        for parameter in kernel_parameters:
            parameter.requires_grad_(self.train_kernel)
        optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=self.lr)
        log, wanted = TrainingLog(), set(self.record.steps(self.steps))
        inputs, labels = self.tensors["train"]
        targets = (labels + 1) / 2
        with (
            gpytorch.settings.variational_cholesky_jitter(double_value=JITTER),
            gpytorch.settings.cholesky_jitter(double_value=JITTER),
            gpytorch.settings.cholesky_max_tries(1),
            torch.random.fork_rng(devices=[]),  # q is drawn at first, with a spread of 0
        ):
            try:
                for step in range(self.steps + 1):
                    model.train()
                    optimiser.zero_grad()
                    fit = -likelihood.expected_log_prob(targets, model(inputs)).mean()
                    divergence = model.variational_strategy.kl_divergence() / self.n_train
                    (fit + self.divergence_weight * divergence).backward()
                    if step in wanted:
                        slopes = [p.grad.square().sum() for p in kernel_parameters if p.grad is not None]
                        values = {("", "fit"): fit, ("", "complexity"): divergence}
                        values[("", "kernel gradient")] = torch.stack([*slopes, torch.zeros(())]).sum().sqrt()
                        log.note(step, self.measured(model) | {k: float(v.detach()) for k, v in values.items()})
                        report(step / self.steps)
                    if step < self.steps:
                        optimiser.step()
            except NotPSDError:
                raise NotPositiveDefinite(
                    f"the kernel matrix of {self.n_train} examples is not positive definite in double precision at "
                    f"step {step}, with {JITTER:g} of jitter; lower lr, steps or the lengthscale at the start"
                ) from None
        weights = {name: parameter.detach().numpy().copy() for name, parameter in model.named_parameters()}
        return log.outcome(self.steps, weights)

    def build(self) -> tuple[Any, Any]:
        """Return GPyTorch's model and likelihood, as they start."""
        gpytorch = _gpytorch()
        inputs, _ = self.tensors["train"]
        strategies = {
            "unwhitened": gpytorch.variational.UnwhitenedVariationalStrategy,
            "whitened": gpytorch.variational.VariationalStrategy,
        }
        strategy_of, described = strategies[self.parametrisation], self

        class Model(gpytorch.models.ApproximateGP):  # type: ignore[name-defined]
            def __init__(self) -> None:
                posterior = gpytorch.variational.CholeskyVariationalDistribution(described.n_train, mean_init_std=0.0)
                super().__init__(strategy_of(self, inputs, posterior, learn_inducing_locations=False))
                learnt = described.mean == "learnt"
                self.mean_module = gpytorch.means.ConstantMean() if learnt else gpytorch.means.ZeroMean()
                lengths = gpytorch.kernels.RBFKernel(ard_num_dims=described.population.dimensions)
                self.covar_module = gpytorch.kernels.ScaleKernel(lengths)
                lengths.lengthscale, self.covar_module.outputscale = described.lengthscale, described.outputscale

            def forward(self, at: Tensor) -> Any:
                return gpytorch.distributions.MultivariateNormal(self.mean_module(at), self.covar_module(at))

        return Model().double(), gpytorch.likelihoods.BernoulliLikelihood().double()

    @torch.no_grad()
    def measured(self, model: Any) -> dict[tuple[str, str], float]:
        """Return what is recorded of a model as it stands."""
        kernel = model.covar_module
        lengths = kernel.base_kernel.lengthscale.reshape(-1)
        values = {("", f"lengthscale {k}"): float(value) for k, value in enumerate(lengths, start=1)}
        values[("", "log outputscale")] = float(kernel.outputscale.log())
        values[("", "mean")] = float(model.mean_module.constant) if self.mean == "learnt" else 0.0
        model.eval()
        for split, (inputs, labels) in self.tensors.items():
            latent = model(inputs)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of variances below 1e-10, which a difference may leave negative
                variance = latent.variance
            # The log of a probit of the latent's mean, in units of what blurs it: exact, and without rounding to 0.
            blurred = labels * latent.mean / (1 + variance).sqrt()
            values[(split, "loss")] = float(-torch.special.log_ndtr(blurred).mean())
            values[(split, "error")] = float((labels * latent.mean <= 0).double().mean())
        return values


def _gpytorch() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit.script, when it is first imported
            import gpytorch
    except ImportError:
        raise Unavailable("variational classification needs GPyTorch; pip install 'grokscape[gp]'") from None
    return gpytorch
