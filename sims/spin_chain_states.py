"""Networks as states of spin chains, by variational Monte Carlo or by sums over all configurations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, param
from tsphys.ground.progress import listening, share, tell
from tsphys.models.spin_chain_states import SpinChainStates
from tsphys.numerics.random import stream
from tsphys.runs import frames
from tsphys.runs.axis import Points
from tsphys.sims.engines.quantum.reconfiguration import Chain, Network, Walkers, train

#: Most spins whose configurations are all summed over; sweeps of chains before the first step.
MOST_SUMMED, BURN_IN = 16, 10


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    steps: int = param(200, "steps of stochastic reconfiguration", kind=int, low=1)
    before: int = param(300, "steps of the training before, of models that have one", kind=int, low=1)
    lr: float = param(0.05, "rate η of a step, in imaginary time", low=0, high=EXTREME, open_low=True)
    shift: float = param(
        1e-4, "shift ε of the metric, to which it falls from 0.1 as long as the energy falls", low=1e-12, high=EXTREME
    )
    samples: int = param(400, "chains, of which each step has a configuration each; 0: all there are", kind=int, low=0)
    sweeps: int = param(100, "sweeps of the chains over which the energy is measured at the end", kind=int, low=1)

    def suited(self, models: Sequence[SpinChainStates]) -> Options:
        model = models[0]
        if self.samples == 0 and model.N > MOST_SUMMED:
            raise ModelError("N", model.N, f"must be at most {MOST_SUMMED} with samples = 0, a sum over all")
        return self


def network(model: SpinChainStates) -> Network:
    return Network(model.N, model.features, model.units)


def memory(models: Sequence[SpinChainStates], options: Options) -> frames.Memory:
    model = models[0]
    n, P = float(options.samples or 2.0**model.N), float(network(model).size)
    sweeps = options.sweeps if options.samples else 1
    sizes = {"samples": options.samples or None, "N": model.N, "features": model.features, "units": model.units}
    each = 8.0 * (4 * n * P + 3 * min(n, P) ** 2 + n * sweeps)
    return frames.Memory(each, {**sizes, "sweeps": sweeps}, "derivatives and energies of all samples")


def hamiltonian(model: SpinChainStates) -> Chain:
    """In σᶻ; exchanges between sublattices have Marshall's sign."""
    if model.chain == "ising":
        return Chain(model.N, (-1.0, 0.0), (0,), (-model.field,))
    return Chain(model.N, (0.25, 0.25 * model.J2), (1, 2), (-0.5, 0.5 * model.J2))


@frames.replicated(SpinChainStates, Options, memory=memory)
def simulate(points: Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train a network from random weights, or from weights that were trained elsewhere, the same at all points.

    Returns
    -------
    dict
        Over the axis: ``energy`` a spin; its standard error by sampling, ``sampling``, from the means of the chains;
        ``variance`` of the local energy over N, 0 in an eigenstate.
    """
    first = points.models[0]
    net = network(first)
    start = net.drawn(replica.rng("weights"))

    def walkers(model: SpinChainStates, name: str) -> Walkers:
        chain = hamiltonian(model)
        if options.samples == 0:
            return Walkers(chain, net, chain.all_states(), None)
        spins = chain.drawn(options.samples, replica.rng(f"spins {name}"))
        return Walkers(chain, net, spins, stream(*replica.key(f"chains {name}")))

    if first.pretrained is not None:
        there = replace(first, **{"field" if first.chain == "ising" else "J2": first.pretrained})
        seen = walkers(there, "before")
        seen.go(start, BURN_IN * first.N)
        # Of how far a run is its points tell; here it can be stopped.
        with listening(lambda _: replica.report(0.0)):
            start = train(seen, start, slice(None), options.before, options.lr, options.shift)

    # Of a point that is trained, and measured then.
    trained = options.steps / (options.steps + options.sweeps) if first.train != "none" else 0.0

    def at(i: int) -> dict[str, float]:
        model, seen = points.models[i], walkers(points.models[i], str(i))
        N, theta = model.N, start
        seen.go(theta, BURN_IN * N)
        if model.train != "none":
            free = slice(None) if model.train == "all" else slice(net.features, None)
            with listening(share(replica.report, i, trained, len(points.models))):
                theta = train(seen, theta, free, options.steps, options.lr, options.shift)
        if options.samples == 0:
            weights, local, _ = seen.see(theta, derivatives=False)
            energy = weights @ local
            return {"energy": energy / N, "sampling": 0.0, "variance": weights @ (local - energy) ** 2 / N}
        rows = np.empty((options.sweeps, options.samples))
        for n, row in enumerate(rows):
            tell(trained + (1 - trained) * n / len(rows))
            seen.go(theta, N)
            row[:] = seen.see(theta, derivatives=False)[1]
        spread = rows.mean(axis=0).std(ddof=min(1, options.samples - 1)) / np.sqrt(options.samples)
        return {"energy": rows.mean() / N, "sampling": spread / N, "variance": rows.var() / N}

    return replica.each(len(points.models), at)
