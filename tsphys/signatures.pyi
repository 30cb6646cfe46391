# Written by docs/signatures.py.
from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np

from tsphys.models.active_fraction import ActiveFraction as ActiveFraction
from tsphys.models.adversarial_perceptron import AdversarialPerceptron as AdversarialPerceptron
from tsphys.models.attention_features import AttentionFeatures as AttentionFeatures
from tsphys.models.bandlimited_features import BandlimitedFeatures as BandlimitedFeatures
from tsphys.models.continual import Continual as Continual
from tsphys.models.data_pruning import DataPruning as DataPruning
from tsphys.models.dataset_distillation import DatasetDistillation as DatasetDistillation
from tsphys.models.deep_kernels import DeepKernels as DeepKernels
from tsphys.models.dense_hebbian import DenseHebbian as DenseHebbian
from tsphys.models.generative_inputs import GenerativeInputs as GenerativeInputs
from tsphys.models.glm import GLM as GLM
from tsphys.models.gradient_starvation import GradientStarvation as GradientStarvation
from tsphys.models.growth import Growth as Growth
from tsphys.models.guidance import Guidance as Guidance
from tsphys.models.hidden_manifold import HiddenManifold as HiddenManifold
from tsphys.models.hopfield import Hopfield as Hopfield
from tsphys.models.inductive_bias import InductiveBias as InductiveBias
from tsphys.models.infinite_depth import InfiniteDepth as InfiniteDepth
from tsphys.models.intrinsic_dimension import IntrinsicDimension as IntrinsicDimension
from tsphys.models.kernel_ridge import KernelRidge as KernelRidge
from tsphys.models.label_noise import LabelNoise as LabelNoise
from tsphys.models.learning_rule import LearningRule as LearningRule
from tsphys.models.linear_estimator import LinearEstimator as LinearEstimator
from tsphys.models.linear_icl import LinearICL as LinearICL
from tsphys.models.linear_network import LinearNetwork as LinearNetwork
from tsphys.models.local_kernels import LocalKernels as LocalKernels
from tsphys.models.memory_reconstruction import MemoryReconstruction as MemoryReconstruction
from tsphys.models.nested_dropout import NestedDropout as NestedDropout
from tsphys.models.one_shot_votes import OneShotVotes as OneShotVotes
from tsphys.models.online_attack import OnlineAttack as OnlineAttack
from tsphys.models.opposing_signals import OpposingSignals as OpposingSignals
from tsphys.models.perceptron import Perceptron as Perceptron
from tsphys.models.plasticity import Plasticity as Plasticity
from tsphys.models.potts import Potts as Potts
from tsphys.models.potts_attention import PottsAttention as PottsAttention
from tsphys.models.pruned import Pruned as Pruned
from tsphys.models.quadratic_feature import QuadraticFeature as QuadraticFeature
from tsphys.models.random_features import RandomFeatures as RandomFeatures
from tsphys.models.random_teacher import RandomTeacher as RandomTeacher
from tsphys.models.removed_layers import RemovedLayers as RemovedLayers
from tsphys.models.self_distillation import SelfDistillation as SelfDistillation
from tsphys.models.simplicity_bias import SimplicityBias as SimplicityBias
from tsphys.models.sparse_regression import SparseRegression as SparseRegression
from tsphys.models.sparse_tickets import SparseTickets as SparseTickets
from tsphys.models.spiked_cumulant import SpikedCumulant as SpikedCumulant
from tsphys.models.spin_chain_states import SpinChainStates as SpinChainStates
from tsphys.models.stitching import Stitching as Stitching
from tsphys.models.task_masks import TaskMasks as TaskMasks
from tsphys.models.training_set import TrainingSet as TrainingSet
from tsphys.models.two_layer import TwoLayer as TwoLayer
from tsphys.models.two_students import TwoStudents as TwoStudents
from tsphys.models.votes import Votes as Votes
from tsphys.models.weight_race import WeightRace as WeightRace
from tsphys.models.weight_theft import WeightTheft as WeightTheft
from tsphys.models.whitening import Whitening as Whitening
from tsphys.models.xor_clusters import XorClusters as XorClusters
from tsphys.models.zeroth_order import ZerothOrder as ZerothOrder
from tsphys.rules.contract import Online as Online
from tsphys.runs.result import Result as Result

Numbers: TypeAlias = float | Sequence[float] | np.ndarray | None

@overload
def simulate(
    model: TwoLayer | Perceptron | ZerothOrder | Pruned | Growth | TwoStudents | Continual | OnlineAttack | SimplicityBias | SpikedCumulant | GradientStarvation | ActiveFraction | LearningRule,
    *,
    N: int = ...,
    t: Any = ...,
    start: Any = ...,
    engine: str = ...,
    dtype: str = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: TaskMasks | Votes | LabelNoise,
    *,
    t: Any = ...,
    N: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: HiddenManifold,
    *,
    t: Any = ...,
    disorder: str = ...,
    n_test: int = ...,
    dtype: str = ...,
    N: int = ...,
    F: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: GenerativeInputs,
    *,
    t: Any = ...,
    disorder: str = ...,
    n_test: int = ...,
    dtype: str = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: WeightTheft,
    *,
    t: Any = ...,
    disorder: str = ...,
    n_test: int = ...,
    dtype: str = ...,
    N: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: WeightRace,
    *,
    t: Any = ...,
    N: int = ...,
    each: bool = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: Hopfield,
    *,
    alpha: Numbers = ...,
    T: Numbers = ...,
    N: int = ...,
    t: Any = ...,
    n_patterns: int | None = ...,
    patterns: Any = ...,
    pattern_file: str | None = ...,
    start: Any = ...,
    overlap: float = ...,
    mixture: int = ...,
    sweeps: int = ...,
    equilibration: int = ...,
    protocol: str = ...,
    keep_spins: bool = ...,
    engine: str = ...,
    method: str = ...,
    grey: bool = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: DenseHebbian,
    *,
    alpha: Numbers = ...,
    T: Numbers = ...,
    r: Numbers = ...,
    M: Numbers = ...,
    N: int = ...,
    t: Any = ...,
    n_patterns: int | None = ...,
    patterns: Any = ...,
    pattern_file: str | None = ...,
    start: Any = ...,
    overlap: float = ...,
    mixture: int = ...,
    sweeps: int = ...,
    equilibration: int = ...,
    protocol: str = ...,
    keep_spins: bool = ...,
    F: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: MemoryReconstruction,
    *,
    noise: Numbers = ...,
    threshold: Numbers = ...,
    connectivity: Numbers = ...,
    rho: Numbers = ...,
    N: int = ...,
    t: Any = ...,
    overlap: float | None = ...,
    iterations: int = ...,
    tol: float = ...,
    starts: int = ...,
    denoiser: str = ...,
    pca: bool = ...,
    dtype: str = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: GLM,
    *,
    alpha: Numbers = ...,
    noise: Numbers = ...,
    density: Numbers = ...,
    regularization: Numbers = ...,
    outliers: Numbers = ...,
    outlier_noise: Numbers = ...,
    corner: Numbers = ...,
    l1: Numbers = ...,
    fraction: Numbers = ...,
    students: Numbers = ...,
    N: int = ...,
    t: Any = ...,
    start: float | None = ...,
    most: int = ...,
    damping: float = ...,
    dtype: str = ...,
    X: Any = ...,
    y: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: AdversarialPerceptron,
    *,
    attack: Numbers = ...,
    alpha: Numbers = ...,
    training: Numbers = ...,
    regularization: Numbers = ...,
    N: int = ...,
    n_test: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: IntrinsicDimension,
    *,
    dimension: Numbers = ...,
    examples: Numbers = ...,
    start: Numbers = ...,
    noise: Numbers = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: InductiveBias,
    *,
    error: Numbers = ...,
    examples: Numbers = ...,
    inputs: Numbers = ...,
    features: Numbers = ...,
    noise: Numbers = ...,
    ridge: Numbers = ...,
    draws: int = ...,
    chains: int = ...,
    moves: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: RandomFeatures,
    *,
    width: Numbers = ...,
    alpha: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    N: int = ...,
    covariates: str = ...,
    test: int | None = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: KernelRidge,
    *,
    n: Numbers = ...,
    k: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    population: Any = ...,
    features: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: OneShotVotes,
    *,
    clients: Numbers = ...,
    malicious: Numbers = ...,
    alpha: Numbers = ...,
    kept: Numbers = ...,
    loudness: Numbers = ...,
    N: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: Stitching,
    *,
    width: Numbers = ...,
    anchors: Numbers = ...,
    alpha: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    N: int = ...,
    test: int | None = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: LocalKernels,
    *,
    n: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    covariates: str = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: DeepKernels,
    *,
    depth: Numbers = ...,
    weight_variance: Numbers = ...,
    bias_variance: Numbers = ...,
    correlation: Numbers = ...,
    length: Numbers = ...,
    width: Numbers = ...,
    nets: int = ...,
    ntk: bool = ...,
    outputs: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: SparseRegression,
    *,
    alpha: Numbers = ...,
    density: Numbers = ...,
    noise: Numbers = ...,
    density_factor: Numbers = ...,
    noise_factor: Numbers = ...,
    regularization: Numbers = ...,
    N: int = ...,
    most: int = ...,
    damping: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: SparseTickets,
    *,
    kept: Numbers = ...,
    alpha: Numbers = ...,
    noise: Numbers = ...,
    density: Numbers = ...,
    ridge: Numbers = ...,
    ridge_after: Numbers = ...,
    rounds: Numbers = ...,
    N: int = ...,
    fresh: int = ...,
    X: Any = ...,
    y: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: BandlimitedFeatures,
    *,
    frequency: Numbers = ...,
    n: Numbers = ...,
    k: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: AttentionFeatures,
    *,
    n: Numbers = ...,
    heads: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    test: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: DataPruning,
    *,
    fraction: Numbers = ...,
    alpha: Numbers = ...,
    gamma: Numbers = ...,
    regularization: Numbers = ...,
    N: int = ...,
    X: Any = ...,
    y: Any = ...,
    probe: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: InfiniteDepth,
    *,
    depth: Numbers = ...,
    n: Numbers = ...,
    noise: Numbers = ...,
    threshold: Numbers = ...,
    n_test: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: OpposingSignals,
    *,
    t: Any = ...,
    n: int = ...,
    d: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: Whitening,
    *,
    t: Any = ...,
    draws: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: SelfDistillation,
    *,
    rounds: Numbers = ...,
    mixing: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    alpha: Numbers = ...,
    N: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: RandomTeacher,
    *,
    t: Numbers = ...,
    n: Numbers = ...,
    features: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    scale: Numbers = ...,
    overlap: Numbers = ...,
    weight_decay: Numbers = ...,
    rtol: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: Plasticity,
    *,
    t: Any = ...,
    inputs: int = ...,
    batch: int = ...,
    steps: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: TrainingSet,
    *,
    N: int = ...,
    t: Any = ...,
    X: Any = ...,
    y: Any = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: LinearNetwork,
    *,
    rank: Numbers = ...,
    scale: Numbers = ...,
    alignment: Numbers = ...,
    decay: Numbers = ...,
    balance: Numbers = ...,
    inputs: Numbers = ...,
    at: float = ...,
    t: Any = ...,
    width: int | None = ...,
    jitter: float = ...,
    lr: float | None = ...,
    rtol: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: DatasetDistillation,
    *,
    points: Numbers = ...,
    alpha: Numbers = ...,
    time: Numbers = ...,
    noise: Numbers = ...,
    spread: Numbers = ...,
    distance: Numbers = ...,
    N: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: NestedDropout,
    *,
    t: Any = ...,
    N: int = ...,
    units: str = ...,
    rtol: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: RemovedLayers,
    *,
    t: Any = ...,
    N: int = ...,
    rotated: bool = ...,
    rtol: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: Guidance,
    *,
    t: Any = ...,
    width: int = ...,
    layers: str = ...,
    rtol: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: XorClusters,
    *,
    t: Any = ...,
    n_test: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: QuadraticFeature,
    *,
    t: Any = ...,
    width: int | None = ...,
    start: str = ...,
    rtol: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: LinearEstimator,
    *,
    t: Any = ...,
    N: int = ...,
    lr: float | None = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: PottsAttention,
    *,
    alpha: Numbers = ...,
    ridge: Numbers = ...,
    beta: Numbers = ...,
    N: int | None = ...,
    t: Any = ...,
    n_test: int = ...,
    burn_in: int = ...,
    order: str = ...,
    keep_couplings: bool = ...,
    sequences: Any = ...,
    weights: Any = ...,
    identity: float = ...,
    held_out: float = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: Potts,
    *,
    beta: Numbers = ...,
    field: Numbers = ...,
    N: int = ...,
    sweeps: int = ...,
    equilibration: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: LinearICL,
    *,
    tau: Numbers = ...,
    alpha: Numbers = ...,
    kappa: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    N: int = ...,
    prompts: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(
    model: SpinChainStates,
    *,
    field: Numbers = ...,
    J2: Numbers = ...,
    steps: int = ...,
    before: int = ...,
    lr: float = ...,
    shift: float = ...,
    samples: int = ...,
    sweeps: int = ...,
    replicas: int = ...,
    seed: int = ...,
    threads: int | None = ...,
    progress: Any = ...,
    checkpoint: Any = ...,
    resume: Any = ...,
    partial: bool = ...,
    until_sem: Any = ...,
    most_replicas: int | None = ...,
) -> Result: ...
@overload
def simulate(model: Online, **options: Any) -> Result: ...
@overload
def solve(
    model: TwoLayer | Perceptron,
    *,
    start: Any = ...,
    N: int = ...,
    seed: int = ...,
    paths: int = ...,
    scramblings: int = ...,
    tol: float | None = ...,
    lump: float | None = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: ZerothOrder | Pruned | Growth | TwoStudents | Continual | GradientStarvation,
    *,
    start: Any = ...,
    N: int = ...,
    seed: int = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: TaskMasks | Votes | WeightTheft,
    *,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: OnlineAttack,
    *,
    start: Any = ...,
    N: int = ...,
    seed: int = ...,
    points: int = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: HiddenManifold,
    *,
    spectrum: str = ...,
    N: int = ...,
    seed: int = ...,
    F: Any = ...,
    nodes: int = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: GenerativeInputs,
    *,
    seed: int = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: SimplicityBias | SpikedCumulant,
    *,
    start: Any = ...,
    N: int = ...,
    seed: int = ...,
    gradient_flow: bool = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: ActiveFraction,
    *,
    start: Any = ...,
    N: int = ...,
    seed: int = ...,
    quadrature: str = ...,
    points: int = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: WeightRace,
    *,
    each: bool = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: LearningRule,
    *,
    start: Any = ...,
    N: int = ...,
    seed: int = ...,
    paths: int = ...,
    scramblings: int = ...,
    tol: float | None = ...,
    lump: float | None = ...,
    quadrature: str = ...,
    points: int = ...,
    rtol: float | None = ...,
    atol: float | None = ...,
    method: str = ...,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: Hopfield,
    *,
    alpha: Numbers = ...,
    T: Numbers = ...,
    t: Any = ...,
    branch: str = ...,
    mixture: int = ...,
    overlap: float = ...,
    tol: float = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: DenseHebbian,
    *,
    alpha: Numbers = ...,
    T: Numbers = ...,
    r: Numbers = ...,
    M: Numbers = ...,
    F: Any = ...,
    branch: str = ...,
    tol: float = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: MemoryReconstruction,
    *,
    noise: Numbers = ...,
    threshold: Numbers = ...,
    connectivity: Numbers = ...,
    rho: Numbers = ...,
    t: Any = ...,
    overlap: float | None = ...,
    branch: str = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: GLM,
    *,
    alpha: Numbers = ...,
    noise: Numbers = ...,
    density: Numbers = ...,
    regularization: Numbers = ...,
    outliers: Numbers = ...,
    outlier_noise: Numbers = ...,
    corner: Numbers = ...,
    l1: Numbers = ...,
    fraction: Numbers = ...,
    students: Numbers = ...,
    t: Any = ...,
    start: float | None = ...,
    branch: str = ...,
    tol: float = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: AdversarialPerceptron,
    *,
    attack: Numbers = ...,
    alpha: Numbers = ...,
    training: Numbers = ...,
    regularization: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: IntrinsicDimension,
    *,
    dimension: Numbers = ...,
    examples: Numbers = ...,
    start: Numbers = ...,
    noise: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: InductiveBias,
    *,
    error: Numbers = ...,
    examples: Numbers = ...,
    inputs: Numbers = ...,
    features: Numbers = ...,
    noise: Numbers = ...,
    ridge: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: RandomFeatures,
    *,
    width: Numbers = ...,
    alpha: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: KernelRidge,
    *,
    n: Numbers = ...,
    k: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    inputs: int | None = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: OneShotVotes,
    *,
    clients: Numbers = ...,
    malicious: Numbers = ...,
    alpha: Numbers = ...,
    kept: Numbers = ...,
    loudness: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: Stitching,
    *,
    width: Numbers = ...,
    anchors: Numbers = ...,
    alpha: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: LocalKernels,
    *,
    n: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    precision: float | None = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: DeepKernels,
    *,
    depth: Numbers = ...,
    weight_variance: Numbers = ...,
    bias_variance: Numbers = ...,
    correlation: Numbers = ...,
    length: Numbers = ...,
    width: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: SparseRegression,
    *,
    alpha: Numbers = ...,
    density: Numbers = ...,
    noise: Numbers = ...,
    density_factor: Numbers = ...,
    noise_factor: Numbers = ...,
    regularization: Numbers = ...,
    branch: str = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: SparseTickets,
    *,
    kept: Numbers = ...,
    alpha: Numbers = ...,
    noise: Numbers = ...,
    density: Numbers = ...,
    ridge: Numbers = ...,
    ridge_after: Numbers = ...,
    rounds: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: BandlimitedFeatures,
    *,
    frequency: Numbers = ...,
    n: Numbers = ...,
    k: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: AttentionFeatures,
    *,
    n: Numbers = ...,
    heads: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: DataPruning,
    *,
    fraction: Numbers = ...,
    alpha: Numbers = ...,
    gamma: Numbers = ...,
    regularization: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: InfiniteDepth,
    *,
    depth: Numbers = ...,
    n: Numbers = ...,
    noise: Numbers = ...,
    threshold: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: OpposingSignals | LabelNoise | Whitening | Plasticity | NestedDropout | RemovedLayers | Guidance | LinearEstimator,
    *,
    t: Any = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: SelfDistillation,
    *,
    rounds: Numbers = ...,
    mixing: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    alpha: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: RandomTeacher,
    *,
    t: Numbers = ...,
    n: Numbers = ...,
    features: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    scale: Numbers = ...,
    overlap: Numbers = ...,
    weight_decay: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: TrainingSet,
    *,
    paths: int = ...,
    scramblings: int = ...,
    tol: float | None = ...,
    seed: int = ...,
    t: Any = ...,
    step: float | None = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: LinearNetwork,
    *,
    rank: Numbers = ...,
    scale: Numbers = ...,
    alignment: Numbers = ...,
    decay: Numbers = ...,
    balance: Numbers = ...,
    inputs: Numbers = ...,
    at: float = ...,
    t: Any = ...,
    method: str = ...,
    draws: int = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: DatasetDistillation,
    *,
    points: Numbers = ...,
    alpha: Numbers = ...,
    time: Numbers = ...,
    noise: Numbers = ...,
    spread: Numbers = ...,
    distance: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: XorClusters,
    *,
    t: Any = ...,
    overlaps: bool = ...,
    draws: int = ...,
    seed: int = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: QuadraticFeature,
    *,
    t: Any = ...,
    sets: int = ...,
    seed: int = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: PottsAttention,
    *,
    alpha: Numbers = ...,
    ridge: Numbers = ...,
    beta: Numbers = ...,
    tol: float = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: Potts,
    *,
    beta: Numbers = ...,
    field: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: LinearICL,
    *,
    tau: Numbers = ...,
    alpha: Numbers = ...,
    kappa: Numbers = ...,
    ridge: Numbers = ...,
    noise: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(
    model: SpinChainStates,
    *,
    field: Numbers = ...,
    J2: Numbers = ...,
    progress: Any = ...,
    partial: bool = ...,
    fluctuations: bool = ...,
) -> Result: ...
@overload
def solve(model: Online, **options: Any) -> Result: ...
