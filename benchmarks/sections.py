"""Names of the sections, in the order of the table."""

from __future__ import annotations

SECTIONS = {
    "engines": "tsphys.benchmarks.online:engines",
    "inputs": "tsphys.benchmarks.online:by_inputs",
    "threads": "tsphys.benchmarks.online:threads",
    "sizes": "tsphys.benchmarks.online:sizes",
    "replicas": "tsphys.benchmarks.replicas:short",
    "ode": "tsphys.benchmarks.ode:time_to_solution",
    "expansion": "tsphys.benchmarks.ode:first_order",
    "hebbian": "tsphys.benchmarks.hebbian:monte_carlo",
    "potts": "tsphys.benchmarks.potts:monte_carlo",
    "quantum": "tsphys.benchmarks.quantum:sampler",
    "descent": "tsphys.benchmarks.descent:steps",
    "stored": "tsphys.benchmarks.stored:training_sets",
    "kernels": "tsphys.benchmarks.kernels:recursion",
    "inference": "tsphys.benchmarks.inference:messages_and_curves",
    "start": "tsphys.benchmarks.online:cold_start",
}
