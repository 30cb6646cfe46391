"""Exact ground states of spin chains: free fermions, the Bethe ansatz, dimers, and all states of small chains."""

from __future__ import annotations

from tsphys.errors import ModelError
from tsphys.models.spin_chain_states import SpinChainStates
from tsphys.physics.spins.chains import heisenberg, ising, ising_gap, j1_j2
from tsphys.runs import frames

#: Most spins of a chain whose states are all there, and by how much of its energy a trained state may miss it.
LARGEST, MISSED = 20, 5e-5


@frames.static(SpinChainStates, told=("finite_size_error.energy",))
def solve(model: SpinChainStates) -> dict[str, float]:
    """The ground state of N spins, which the best of networks would have.

    Returns
    -------
    dict
        Over the axis: ``energy`` a spin; of the Ising chain ``gap``, the energy of the first excited state above it.

    Raises
    ------
    ModelError
        Of more than 20 spins with J2, but at J2 = ½, where dimers are exact.
    ConvergenceError
        If the Bethe ansatz was not solved.
    """
    if model.chain == "ising":
        energy = ising(model.N, model.field)
        return {"energy": energy, "gap": ising_gap(model.N, model.field), "finite_size_error.energy": -MISSED * energy}
    if model.J2 == 0:
        energy = heisenberg(model.N)
    elif model.J2 == 0.5:
        energy = -0.375
    elif model.N <= LARGEST:
        energy = j1_j2(model.N, model.J2)
    else:
        words = f"must be at most {LARGEST} with J2 = {model.J2:g}; with J2 = 0 or 0.5 there is theory for any"
        raise ModelError("N", model.N, words)
    return {"energy": energy, "finite_size_error.energy": -MISSED * energy}
