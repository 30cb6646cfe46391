"""Online SGD in PyTorch on the CPU, with automatic differentiation, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from tsphys.benchmarks.setting import Setting


def installed() -> bool:
    """Whether PyTorch can be imported."""
    return find_spec("torch") is not None


def start(setting: Setting) -> Callable[[int], object]:
    """A run at t = 0, as the function ``advance(steps)``."""
    import torch

    torch.set_num_threads(1)
    W, B, v, v_star = (torch.from_numpy(a) for a in setting.weights())
    W.requires_grad_()
    root = setting.N**0.5
    # Half the squared error has the gradient c x/√N, so that plain SGD with rate η is the step of the field.
    optimiser = torch.optim.SGD([W], lr=setting.lr)
    generator = torch.Generator().manual_seed(2)

    def advance(steps: int) -> object:
        for _ in range(steps):
            x = torch.randn(setting.N, generator=generator, dtype=W.dtype)
            with torch.no_grad():
                y = v_star @ torch.erf(B @ x / root / 2**0.5)
                y += setting.noise * torch.randn((), generator=generator, dtype=W.dtype)
            loss = 0.5 * (v @ torch.erf(W @ x / root / 2**0.5) - y) ** 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return W.detach().numpy()

    return advance
