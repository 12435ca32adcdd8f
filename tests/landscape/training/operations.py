"""About a hundred small networks, each around one operation, for tests that go through what people build with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Size of the inputs: examples are vectors of `WIDTH` numbers, or sequences of `LENGTH` tokens.
WIDTH, LENGTH, TOKENS = 8, 6, 5


class Around(nn.Module):
    """``W f(A x)``: an operation between two dense layers."""

    def __init__(self, operation: Callable[[Tensor], Tensor], out: int = WIDTH) -> None:
        super().__init__()
        self.before, self.after = nn.Linear(WIDTH, WIDTH), nn.Linear(out, 3)
        self.operation = operation

    def forward(self, inputs: Tensor) -> Tensor:
        return self.after(self.operation(self.before(inputs)).flatten(1))


class Weighing(nn.Module):
    """``f(x, w)`` for a weight of some shape, then a dense layer."""

    def __init__(self, operation: Callable[[Tensor, Tensor], Tensor], *shape: int, out: int = WIDTH) -> None:
        super().__init__()
        self.weight, self.after = nn.Parameter(torch.randn(shape)), nn.Linear(out, 3)
        self.operation = operation

    def forward(self, inputs: Tensor) -> Tensor:
        return self.after(self.operation(inputs, self.weight).flatten(1))


class Then(nn.Module):
    """A module, its first output if it has several, flattened, and a dense layer."""

    def __init__(self, part: nn.Module, out: int, shape: tuple[int, ...] = (WIDTH,)) -> None:
        super().__init__()
        self.part, self.after, self.shape = part, nn.Linear(out, 3), shape

    def forward(self, inputs: Tensor) -> Tensor:
        found: Any = self.part(inputs.unflatten(1, self.shape) if inputs.is_floating_point() else inputs)
        return self.after((found[0] if isinstance(found, tuple) else found).flatten(1))


class Attention(nn.Module):
    """Self-attention over a vector cut into four pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.part, self.after = nn.MultiheadAttention(2, 1, batch_first=True), nn.Linear(WIDTH, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        pieces = inputs.unflatten(1, (4, 2))
        return self.after(self.part(pieces, pieces, pieces)[0].flatten(1))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "gelu": F.gelu,
    "gelu_tanh": functools.partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "hardtanh": F.hardtanh,
    "relu6": F.relu6,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "logsigmoid": F.logsigmoid,
    "tanhshrink": F.tanhshrink,
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
    "square": torch.square,
    "exp": lambda x: (x / 4).exp(),
    "sin": torch.sin,
    "cos": torch.cos,
    "abs": torch.abs,
    "sqrt": lambda x: (x.square() + 1).sqrt(),
    "rsqrt": lambda x: (x.square() + 1).rsqrt(),
    "log1p": lambda x: x.abs().log1p(),
    "erf": torch.erf,
    "atan": torch.atan,
    "pow": lambda x: x.pow(3),
    "reciprocal": lambda x: 1 / (x.square() + 1),
    "clamp": lambda x: x.clamp(-0.5, 0.5),
    "where": lambda x: torch.where(x > 0, x, x.exp()),
    "sinh": lambda x: torch.sinh(x / 4),
    "xlogy": lambda x: torch.xlogy(x.abs(), x.abs() + 1),
}

SHAPING: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda x: x.softmax(-1),
    "log_softmax": lambda x: x.log_softmax(-1),
    "logsumexp": lambda x: x - x.logsumexp(-1, keepdim=True),
    "cumsum": lambda x: x.cumsum(-1),
    "cumprod": lambda x: (x / 4).cumprod(-1),
    "sort": lambda x: x.sort(-1).values,
    "flip": lambda x: x.flip(-1),
    "roll": lambda x: x.roll(1, -1),
    "topk": lambda x: x.topk(WIDTH, -1).values,
    "var": lambda x: x / (1 + x.var(-1, keepdim=True)),
    "std": lambda x: x / (1 + x.std(-1, keepdim=True)),
    "norm": lambda x: x / (1 + x.norm(dim=-1, keepdim=True)),
    "normalize": lambda x: F.normalize(x, dim=-1),
    "prod": lambda x: x * x.prod(-1, keepdim=True),
    "max": lambda x: x - x.amax(-1, keepdim=True),
    "median": lambda x: x - x.median(-1, keepdim=True).values,
    "glu": lambda x: F.glu(torch.cat([x, x], -1)),
    "layer_norm": lambda x: F.layer_norm(x, (WIDTH,)),
    "group_norm": lambda x: F.group_norm(x.unflatten(1, (4, 2)), 2),
    "rms_norm": lambda x: F.rms_norm(x, (WIDTH,)),
    "max_pool": lambda x: F.max_pool1d(x[:, None], 3, 1, 1),
    "avg_pool": lambda x: F.avg_pool1d(x[:, None], 3, 1, 1),
    "adaptive_pool": lambda x: F.adaptive_avg_pool1d(x[:, None], WIDTH),
    "lp_pool": lambda x: F.lp_pool1d(x[:, None].abs() + 1, 2, 1),
    "interpolate": lambda x: F.interpolate(x[:, None], size=WIDTH, mode="linear"),
    "pad": lambda x: F.pad(x, (1, -1)),
    "unfold": lambda x: x.unfold(1, 1, 1),
    "einsum": lambda x: torch.einsum("ni,nj->ni", x, x),
    "fft": lambda x: torch.fft.fft(x).real,
    "matmul": lambda x: (x[:, :, None] @ x[:, None]).mean(2),
    "outer": lambda x: (x[:, :, None] * x[:, None]).sum(2),
    "tril": lambda x: (x[:, None] * torch.ones(WIDTH, 1).to(x)).tril().sum(1),
    "diff": lambda x: F.pad(x.diff(dim=-1), (1, 0)),
    "gather": lambda x: x.gather(1, torch.arange(WIDTH).flip(0).expand_as(x)),
    "index_select": lambda x: x.index_select(1, torch.arange(WIDTH).flip(0)),
    "scatter": lambda x: torch.zeros_like(x).scatter(1, torch.arange(WIDTH).flip(0).expand_as(x), x),
    "cosine": lambda x: F.cosine_similarity(x[:, :, None], x[:, None], 2),
    "index_add": lambda x: torch.zeros_like(x).index_add(1, torch.arange(WIDTH) // 2, x),
    "cdist": lambda x: torch.cdist(x[:, :, None], x[:, :, None] + 1).mean(2),
    "solve": lambda x: torch.linalg.solve(torch.eye(WIDTH).to(x) * 9, x.mT).mT,
    "bilinear_grid": lambda x: F.interpolate(x.view(-1, 1, 2, 4), scale_factor=1, mode="bilinear"),
    "chunk": lambda x: torch.cat(x.chunk(2, 1)[::-1], 1),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x.view(-1, 4, 2, 1), 2),
    "local_response": lambda x: F.local_response_norm(x[:, None], 2),
    "attention": lambda x: F.scaled_dot_product_attention(*[x.unflatten(1, (4, 2))] * 3),
}

WEIGHTS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: Weighing(lambda x, w: x @ w, WIDTH, WIDTH),
    "F.linear": lambda: Weighing(F.linear, WIDTH, WIDTH),
    "bilinear": lambda: Weighing(lambda x, w: F.bilinear(x, x, w), WIDTH, WIDTH, WIDTH),
    "conv1d": lambda: Weighing(lambda x, w: F.conv1d(x[:, None], w, padding=1), 2, 1, 3, out=2 * WIDTH),
    "conv2d": lambda: Weighing(lambda x, w: F.conv2d(x.view(-1, 1, 2, 4), w, padding=1), 2, 1, 3, 3, out=2 * WIDTH),
    "conv3d": lambda: Weighing(lambda x, w: F.conv3d(x.view(-1, 1, 2, 2, 2), w), 2, 1, 1, 1, 1, out=2 * WIDTH),
    "conv_groups": lambda: Weighing(lambda x, w: F.conv1d(x.view(-1, 2, 4), w, groups=2), 2, 1, 1),
    "conv_transpose": lambda: Weighing(lambda x, w: F.conv_transpose1d(x[:, None], w), 1, 2, 1, out=2 * WIDTH),
    "prelu": lambda: Weighing(F.prelu, WIDTH),
    "layer_norm_affine": lambda: Weighing(lambda x, w: F.layer_norm(x, (WIDTH,), w), WIDTH),
    "tensordot": lambda: Weighing(lambda x, w: torch.tensordot(x, w, 1), WIDTH, WIDTH),
    "baddbmm": lambda: Weighing(
        lambda x, w: torch.baddbmm(x[:, None], x[:, None], w.expand(len(x), -1, -1)), WIDTH, WIDTH
    ),
    "addmm": lambda: Weighing(lambda x, w: torch.addmm(w[0], x, w), WIDTH, WIDTH),
    "mv": lambda: Weighing(lambda x, w: (x @ w)[:, None], WIDTH, out=1),
    "cholesky": lambda: Weighing(
        lambda x, w: x @ torch.linalg.cholesky(w @ w.mT + torch.eye(WIDTH).to(w)), WIDTH, WIDTH
    ),
    "inverse": lambda: Weighing(lambda x, w: x @ torch.linalg.inv(w @ w.mT + torch.eye(WIDTH).to(w)), WIDTH, WIDTH),
    "matrix_exp": lambda: Weighing(lambda x, w: x @ torch.linalg.matrix_exp(w / 9), WIDTH, WIDTH),
    "det": lambda: Weighing(lambda x, w: x * torch.linalg.det(w / 3), WIDTH, WIDTH),
    "index": lambda: Weighing(lambda x, w: x * w[torch.arange(WIDTH).flip(0)], WIDTH),
    "orthogonal": lambda: Then(
        nn.utils.parametrizations.orthogonal(nn.Linear(WIDTH, WIDTH), orthogonal_map="cayley"), WIDTH
    ),
    "weight_norm": lambda: Then(nn.utils.parametrizations.weight_norm(nn.Linear(WIDTH, WIDTH)), WIDTH),
    "multihead": Attention,
    "encoder": lambda: Then(nn.TransformerEncoderLayer(2, 1, 4, dropout=0.0, batch_first=True), WIDTH, (4, 2)),
    "lstm": lambda: Then(nn.LSTM(2, 3, batch_first=True), 12, (4, 2)),
    "gru": lambda: Then(nn.GRU(2, 3, batch_first=True), 12, (4, 2)),
    "rnn": lambda: Then(nn.RNN(2, 3, batch_first=True), 12, (4, 2)),
    "batch_norm_eval": lambda: Then(nn.BatchNorm1d(WIDTH).eval(), WIDTH),
    "instance_norm": lambda: Then(nn.InstanceNorm1d(4, affine=True), WIDTH, (4, 2)),
}

TOKEN_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "embedding": lambda: Then(nn.Embedding(TOKENS, 3), 3 * LENGTH),
    "embedding padding first": lambda: Then(nn.Embedding(TOKENS, 3, padding_idx=0), 3 * LENGTH),
    "embedding padding last": lambda: Then(nn.Embedding(TOKENS, 3, padding_idx=-1), 3 * LENGTH),
    "embedding sparse": lambda: Then(nn.Embedding(TOKENS, 3, sparse=True), 3 * LENGTH),
    "bag mean": lambda: Then(nn.EmbeddingBag(TOKENS, 3), 3),
    "bag sum padding": lambda: Then(nn.EmbeddingBag(TOKENS, 3, mode="sum", padding_idx=2), 3),
    "bag mean padding": lambda: Then(nn.EmbeddingBag(TOKENS, 3, padding_idx=0), 3),
    "bag max padding": lambda: Then(nn.EmbeddingBag(TOKENS, 3, mode="max", padding_idx=1), 3),
    "one-hot": lambda: Then(OneHot(), TOKENS * LENGTH),
    "table": lambda: Then(Table(), 3 * LENGTH),
}


class OneHot(nn.Module):
    """Tokens as one-hot vectors, scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(TOKENS))

    def forward(self, tokens: Tensor) -> Tensor:
        return F.one_hot(tokens, TOKENS) * self.scale


class Table(nn.Module):
    """Rows of a table, by indexing."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.randn(TOKENS, 3))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.rows[tokens]


#: Name -> a function that builds the network.
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    **{name: functools.partial(Around, operation) for name, operation in ACTIVATIONS.items()},
    **{name: functools.partial(Around, operation) for name, operation in SHAPING.items()},
    **WEIGHTS,
    **TOKEN_NETWORKS,
}
