"""The one list of models: name, class, family, rooms, figures, papers; data only.

What else names models is derived from it, or checked against it: `tsphys.registry` and `tsphys.__init__`, the command
line, the table of the README, the site's index, its page of the library and its gallery (``python -m docs.pages``).
"""

from __future__ import annotations

from dataclasses import dataclass

#: Families in the order in which they are shown, with what is said of them above their table in the README.
FAMILIES = {
    "Online learning": "SGD on fresh examples, for N → ∞ the equations of motion of its order parameters.",
    "Hebbian networks": "Monte Carlo through integer overlaps, and replica theory.",
    "Inference": "message passing and exact solvers on instances, state evolution and saddle points.",
    "Descent": "networks trained on all data at once, whose sufficient statistics close.",
    "Sequences": "Gibbs sampling and masked training of attention, and replica theory.",
    "Quantum states": "variational Monte Carlo of networks as wave functions, and exact ground states.",
}


@dataclass(frozen=True)
class Entry:
    """A model of the package.

    Parameters
    ----------
    name : str
        Name on the command line, and of its file in every room that it needs.
    cls : str
        Name of its dataclass.
    family : str
        One of `FAMILIES`.
    room : {"odes", "replica", ""}
        Where its theory is; none is needed of online learning without closed forms.
    about : str
        What it is, in a line.
    simulated, solved : str
        How it is simulated, and what its theory is, in a few words for a table.
    papers : tuple of str
        Keys of `tsphys.papers.PAPERS`, the most telling first.
    figures : tuple of str
        Modules of ``tsphys.figures`` that draw it.
    functions : tuple of str
        What else belongs on the site's page of the library, by paths below ``tsphys``.
    lines : tuple of str
        What ``lines`` beside its ``solve`` gives for phase diagrams, over what.
    online : bool
        Whether the engines of learning rules simulate it as it is.
    expansion : bool
        Whether its theory knows the first order in 1/N, by ``chain`` beside its ``solve``.
    limit_only : str
        Why it does not.
    command : bool
        Whether it has commands: text is enough to describe it.
    """

    name: str
    cls: str
    family: str
    room: str
    about: str
    simulated: str
    solved: str
    papers: tuple[str, ...]
    figures: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    online: bool = False
    expansion: bool = False
    limit_only: str = "it is one of online learning"
    command: bool = True

    @property
    def home(self) -> str:
        """Module of its dataclass."""
        return f"tsphys.models.{self.name}"

    @property
    def sims(self) -> str:
        """Module that holds its ``simulate``; that of all learning rules stands with their engines."""
        return "tsphys.sims.engines.online.simulation" if self.online else f"tsphys.sims.{self.name}"

    @property
    def theory(self) -> str:
        """Module that holds its ``solve``; without a room, online learning's by quadrature."""
        return f"tsphys.{self.room}.{self.name}" if self.room else "tsphys.odes.learning_rule"


#: All models by name; a name is that of a file in every room that the model needs.
CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry(
            name="two_layer",
            room="odes",
            online=True,
            expansion=True,
            cls="TwoLayer",
            family="Online learning",
            about="two-layer student and teacher, online SGD on one or both layers",
            simulated="direct, exact, cuda",
            solved="ODEs in closed form, fluctuations at finite N",
            papers=(
                "saad_solla_1995",
                "goldt_2019",
                "biehl_schwarze_1995",
                "saad_solla_1995_exact",
                "riegler_biehl_1995",
                "doimo_2022",
            ),
            figures=("two_layer", "finite_size", "noise_floor", "escape", "clones"),
            functions=(
                "odes.two_layer_limits.clone_floor",
                "physics.committee.clones.groups",
                "physics.committee.clones.effective",
                "physics.committee.clones.merged",
            ),
        ),
        Entry(
            name="perceptron",
            room="odes",
            online=True,
            expansion=True,
            cls="Perceptron",
            family="Online learning",
            about="sign perceptron: Hebb, Rosenblatt, AdaTron, optimal online rule",
            simulated="direct, exact, cuda",
            solved="ODEs in closed form",
            papers=("kinzel_rujan_1990", "kinouchi_caticha_1992", "biehl_riegler_1994"),
            figures=("perceptron",),
        ),
        Entry(
            name="zeroth_order",
            room="odes",
            online=True,
            expansion=True,
            cls="ZerothOrder",
            family="Online learning",
            about="two-layer student that learns from values of its loss alone, along random directions or coordinates",
            simulated="direct, exact",
            solved="ODEs in closed form",
            papers=("chen_2024", "nesterov_spokoiny_2017", "malladi_2023"),
            figures=("variants",),
            functions=("physics.estimation.estimation_noise",),
        ),
        Entry(
            name="pruned",
            room="odes",
            limit_only="overlaps fluctuate in each class of coordinates, which their sums do not tell",
            online=True,
            cls="Pruned",
            family="Online learning",
            about="sparse two-layer student: every unit has some of the coordinates only, online SGD",
            simulated="direct",
            solved="ODEs by classes of inputs",
            papers=("saad_solla_1995", "goldt_2020"),
            figures=("variants",),
            functions=("odes.pruned.attainable_error",),
        ),
        Entry(
            name="growth",
            room="odes",
            online=True,
            expansion=True,
            cls="Growth",
            family="Online learning",
            about="a student that grows while it learns, by units split in two or at random, or that loses some",
            simulated="direct, exact",
            solved="ODEs in closed form before and after",
            papers=("chen_2016",),
            figures=("growth",),
        ),
        Entry(
            name="two_students",
            room="odes",
            online=True,
            limit_only="its step sees two examples, and how the lengths of inputs fluctuate",
            cls="TwoStudents",
            family="Online learning",
            about="two students of one teacher, with examples of their own or in common: which unit is which",
            simulated="direct, exact",
            solved="ODEs in closed form",
            papers=("li_2016",),
            figures=("two_students",),
            functions=("physics.matching.matched", "physics.matching.correlations"),
        ),
        Entry(
            name="votes",
            room="odes",
            limit_only="votes on each weight are independent for N → ∞ only",
            cls="Votes",
            family="Online learning",
            about="a student taught by many clients, some malicious: majority of signs, or mean of gradients",
            simulated="direct",
            solved="ODEs in closed form, steady states",
            papers=("bernstein_2019",),
            figures=("votes",),
            functions=("odes.votes.gain", "odes.votes.steady"),
        ),
        Entry(
            name="continual",
            room="odes",
            online=True,
            expansion=True,
            cls="Continual",
            family="Online learning",
            about="continual learning: a student with a head for each of several similar tasks",
            simulated="direct, exact",
            solved="ODEs through every switch of tasks, with replay and anchors",
            papers=("lee_2021", "lee_2022", "kirkpatrick_2017"),
            figures=("continual",),
            functions=("odes.continual.error_rates", "physics.forgetting.forgetting", "physics.forgetting.transfer"),
        ),
        Entry(
            name="online_attack",
            room="odes",
            limit_only="the attacker sees how the lengths of inputs fluctuate",
            cls="OnlineAttack",
            family="Online learning",
            about="attacks on an online learner: labels moved to a target, greedily, optimally, or knowing the stream",
            simulated="direct, exact",
            solved="ODEs, steady states, optimal control",
            papers=("margiotta_2023", "zhang_2020"),
            figures=("online_attack", "online_attack_digits"),
        ),
        Entry(
            name="hidden_manifold",
            room="odes",
            limit_only="features differ from run to run, and fields are Gaussian for N → ∞ only",
            cls="HiddenManifold",
            family="Online learning",
            about="hidden manifold: inputs from fewer latent variables, which the teacher sees; online SGD",
            simulated="direct",
            solved="ODEs in the modes of the inputs",
            papers=("goldt_2020", "goldt_2022"),
            figures=("hidden_manifold",),
        ),
        Entry(
            name="generative_inputs",
            room="odes",
            limit_only="features differ from run to run, and fields are Gaussian for N → ∞ only",
            cls="GenerativeInputs",
            family="Online learning",
            about="inputs of any generator or covariance, a teacher of them or of their latent variables; online SGD",
            simulated="direct",
            solved="ODEs in the modes of the inputs",
            papers=("goldt_2022", "yoshida_okada_2019"),
            command=False,
        ),
        Entry(
            name="simplicity_bias",
            room="odes",
            online=True,
            expansion=True,
            cls="SimplicityBias",
            family="Online learning",
            about="two classes of inputs and clones of them that share means and covariances only, online SGD",
            simulated="direct, exact",
            solved="ODEs in closed form",
            papers=("refinetti_2023", "refinetti_2021"),
            figures=("simplicity_bias", "simplicity_bias_digits"),
        ),
        Entry(
            name="spiked_cumulant",
            room="odes",
            online=True,
            expansion=True,
            cls="SpikedCumulant",
            family="Online learning",
            about="neuron on the sphere that looks for spikes in mean, covariance and higher cumulants, online",
            simulated="direct, exact",
            solved="ODEs, escape times",
            papers=("szekely_2024", "bardone_goldt_2024", "ben_arous_2021"),
            figures=("spiked_cumulant",),
        ),
        Entry(
            name="weight_race",
            room="odes",
            limit_only="steps are few beside 1/N, and nothing is random but the prompts",
            cls="WeightRace",
            family="Online learning",
            about="labels read off a bursty context or known by heart: a race of attention and weights, online SGD",
            simulated="prompt by prompt",
            solved="ODEs of all strengths, acquisition times",
            papers=("chan_2022", "reddy_2024", "nguyen_reddy_2025"),
            figures=("weight_race",),
            functions=("odes.weight_race.acquisition", "odes.weight_race.estimate"),
        ),
        Entry(
            name="learning_rule",
            room="odes",
            online=True,
            expansion=True,
            cls="LearningRule",
            family="Online learning",
            about="any learning rule on local fields, written as a Numba function",
            simulated="direct, exact, cuda",
            solved="ODEs by quadrature",
            papers=("saad_solla_1995",),
            functions=("sims.engines.online.simulation.simulate",),
            command=False,
        ),
        Entry(
            name="hopfield",
            room="replica",
            lines=("alpha", "T"),
            cls="Hopfield",
            family="Hebbian networks",
            about="Hopfield network: Hebbian, clipped or diluted pairwise couplings, sparse patterns",
            simulated="heat bath, parallel, annealing, exchange, cuda",
            solved="replica symmetry: states, lines, capacity",
            papers=("amit_1985", "hopfield_1982", "amit_1987", "tsodyks_feigelman_1988"),
            figures=("hopfield", "hopfield_phase_diagram", "hopfield_mixtures"),
        ),
        Entry(
            name="dense_hebbian",
            room="replica",
            lines=("alpha", "T"),
            cls="DenseHebbian",
            family="Hebbian networks",
            about="dense Hebbian network: P-body couplings of patterns or of noisy examples",
            simulated="heat bath",
            solved="replica symmetry, learning from examples",
            papers=(
                "gardner_1987",
                "agliari_2023_supervised",
                "agliari_2023_unsupervised",
                "krotov_hopfield_2016",
                "demircigil_2017",
                "lucibello_mezard_2024",
            ),
            figures=("dense_hebbian", "dense_hebbian_digits"),
        ),
        Entry(
            name="memory_reconstruction",
            room="replica",
            lines=("noise", "rho"),
            cls="MemoryReconstruction",
            family="Inference",
            about="patterns reconstructed from noisy synapses: message passing, state evolution, principal components",
            simulated="low-rank message passing, principal components",
            solved="state evolution, hard phases",
            papers=("goldt_2023", "lesieur_2017"),
            figures=("memory_reconstruction",),
        ),
        Entry(
            name="glm",
            room="replica",
            lines=("alpha", "noise"),
            cls="GLM",
            family="Inference",
            about="generalised linear model: Bayes-optimal inference and convex risks",
            simulated="message passing; ridge, logistic, hinge, largest margin",
            solved="state evolution, free entropy, thresholds",
            papers=("barbier_2019", "loureiro_2021", "gyorgyi_1990", "gardner_1988", "seung_1992"),
            figures=("glm", "glm_phase_diagram"),
            functions=(
                "replica.saddles.gardner.storage",
                "replica.saddles.gardner.storage_capacity",
                "physics.inference.levels.quantised",
                "physics.inference.levels.rounding",
            ),
        ),
        Entry(
            name="adversarial_perceptron",
            room="replica",
            cls="AdversarialPerceptron",
            family="Inference",
            about="a perceptron under attack, by online rules, Bayes and risks, trained on attacked examples or not",
            simulated="rules and exact minima, inputs moved one by one",
            solved="closed forms, ODEs, saddle points",
            papers=("tanner_2025", "javanmard_2022", "cubuk_2017"),
            figures=("adversarial_perceptron",),
            functions=("replica.adversarial_perceptron.collapse", "replica.adversarial_perceptron.floor"),
        ),
        Entry(
            name="intrinsic_dimension",
            room="replica",
            cls="IntrinsicDimension",
            family="Inference",
            about="training in a random subspace: success and error over its dimension, intrinsic dimension",
            simulated="least squares, separation of labels",
            solved="closed forms at finite size, separability",
            papers=("li_2018", "larsen_2022", "candes_sur_2020", "cover_1965", "belkin_2020"),
            figures=("intrinsic_dimension",),
            functions=(
                "replica.intrinsic_dimension.intrinsic_dimension",
                "replica.intrinsic_dimension.dimension_for",
            ),
        ),
        Entry(
            name="random_features",
            room="replica",
            cls="RandomFeatures",
            family="Inference",
            about="random features: ridge or logistic readout of a fixed random layer, double descent",
            simulated="ridge and logistic readouts",
            solved="double descent",
            papers=("mei_montanari_2022", "gerace_2020", "rahimi_recht_2007", "loureiro_2021"),
            figures=("random_features",),
        ),
        Entry(
            name="kernel_ridge",
            room="replica",
            cls="KernelRidge",
            family="Inference",
            about="kernel and random-feature ridge regression of a given spectrum: learning curves",
            simulated="ridge on any spectrum, or on data",
            solved="eigenframework",
            papers=("simon_2024", "bordelon_2020", "tran_2022"),
            figures=("kernel_ridge", "kernel_ridge_digits"),
        ),
        Entry(
            name="local_kernels",
            room="replica",
            cls="LocalKernels",
            family="Inference",
            about="local, convolutional and multi-scale kernels on a torus: learning curves and their exponents",
            simulated="ridge on plane waves, error from coefficients",
            solved="eigenframework, exponents",
            papers=("favero_2021", "cagnetta_2023", "spigler_2020"),
            figures=("local_kernels",),
            functions=("replica.local_kernels.exponent", "replica.local_kernels.spectrum"),
        ),
        Entry(
            name="deep_kernels",
            room="replica",
            cls="DeepKernels",
            family="Inference",
            about="deep wide nets: NNGP and NTK over depth, edge of chaos, finite widths, for any law of the weights",
            simulated="random nets of any width",
            solved="recursions of kernels, first order in 1/n",
            papers=(
                "poole_2016",
                "schoenholz_2017",
                "jacot_2018",
                "nait_saada_2023",
                "roberts_2022",
                "lee_2019",
                "lee_2022_student",
            ),
            figures=("deep_kernels",),
            functions=(
                "replica.deep_kernels.edge_of_chaos",
                "replica.deep_kernels.depth_scales",
                "replica.deep_kernels.kernel",
                "replica.deep_kernels.lazily_trained",
                "sims.deep_kernels.train",
                "physics.kernels.layers.Layer",
                "physics.kernels.layers.stack",
                "physics.kernels.layers.kernels",
                "physics.kernels.ensembles.Ensemble",
                "physics.kernels.processes.Kernel",
                "physics.kernels.processes.posterior",
                "physics.kernels.processes.student",
            ),
        ),
        Entry(
            name="sparse_regression",
            room="replica",
            cls="SparseRegression",
            family="Inference",
            about="few weights out of many: Bayes, right and wrong about them, the lasso, greedy selection",
            simulated="message passing, exact lasso, orthogonal matching pursuit, exchange",
            solved="state evolution of wrong assumptions too, thresholds",
            papers=("donoho_2009", "krzakala_2012", "bayati_2012", "li_2024"),
            figures=("sparse_regression",),
            functions=(
                "replica.sparse_regression.best_lasso",
                "replica.sparse_regression.stability",
                "replica.sparse_regression.thresholds",
            ),
        ),
        Entry(
            name="sparse_tickets",
            room="replica",
            cls="SparseTickets",
            family="Inference",
            about="magnitude pruning under label noise, in one shot or in rounds, of students of a sparse teacher",
            simulated="ridge and logistic students, pruned and fitted again; your own data",
            solved="all fits on the same data, by the cavity method",
            papers=("arora_2023", "frankle_carbin_2019", "he_2022"),
            figures=("sparse_tickets",),
        ),
        Entry(
            name="bandlimited_features",
            room="replica",
            cls="BandlimitedFeatures",
            family="Inference",
            about="random features of bounded frequency: waves beyond the band, and floors of the error",
            simulated="ridge on random waves, or on their kernel",
            solved="eigenframework on prolate functions",
            papers=("li_2023", "simon_2024"),
            figures=("bandlimited_features",),
            functions=("replica.bandlimited_features.floor", "replica.bandlimited_features.bounded"),
        ),
        Entry(
            name="attention_features",
            room="replica",
            cls="AttentionFeatures",
            family="Inference",
            about="attention with frozen queries and keys: a staircase of learning curves, beside a random perceptron",
            simulated="ridge on heads, or on their kernel",
            solved="eigenframework on products of spheres",
            papers=("fu_2023", "bordelon_2020"),
            figures=("attention_features",),
            functions=("replica.attention_features.learned_at", "replica.attention_features.spectrum"),
        ),
        Entry(
            name="data_pruning",
            room="replica",
            cls="DataPruning",
            family="Inference",
            about="a perceptron that learns what a probe finds hard or easy in a pool of examples, or random ones",
            simulated="ridge, logistic, hinge, largest margin on a pruned pool; your own data",
            solved="saddle point in the plane of probe and teacher",
            papers=("sorscher_2022", "paul_2021"),
            figures=("data_pruning",),
        ),
        Entry(
            name="infinite_depth",
            room="replica",
            cls="InfiniteDepth",
            family="Inference",
            about="wide nets of infinite depth as classifiers: majority, nearest neighbour, or a singular kernel",
            simulated="NTK regression at any depth",
            solved="errors of the limits, exact at every n",
            papers=("radhakrishnan_2023", "devroye_1998"),
            figures=("infinite_depth",),
            functions=(
                "physics.kernels.depths.koenigs",
                "physics.kernels.depths.exponent",
                "physics.kernels.depths.limit",
                "physics.kernels.depths.tangent_kernel",
            ),
        ),
        Entry(
            name="opposing_signals",
            room="odes",
            cls="OpposingSignals",
            family="Descent",
            about="outliers with opposing signals: a linear net at the edge of stability, and its catapult",
            simulated="descent on a training set",
            solved="exact map of three numbers",
            papers=("rosenfeld_2024", "cohen_2021", "damian_2023"),
            figures=("opposing_signals",),
            functions=("odes.opposing_signals.catapult",),
        ),
        Entry(
            name="label_noise",
            room="odes",
            cls="LabelNoise",
            family="Descent",
            about="two classes with wrong labels: the rule is learned first, the wrong labels are memorised later",
            simulated="gradient flow on a training set",
            solved="averages over the spectrum of the data",
            papers=("liu_2020", "advani_2020"),
            figures=("label_noise",),
            functions=("odes.label_noise.onset",),
        ),
        Entry(
            name="whitening",
            room="odes",
            cls="Whitening",
            family="Descent",
            about="first layer of a linear convolutional net: its energy in each principal component, and whitening",
            simulated="descent of filters on a training set",
            solved="averages over the spectrum of the data",
            papers=("chowers_2023",),
            figures=("whitening",),
            functions=("odes.whitening.profile",),
        ),
        Entry(
            name="self_distillation",
            room="replica",
            cls="SelfDistillation",
            family="Descent",
            about="ridge regression taught by its own answers, round by round, mixed with the labels",
            simulated="ridge regression on labels of its own",
            solved="averages over the spectrum of the data",
            papers=("mobahi_2020", "das_2023"),
            figures=("self_distillation",),
            functions=("replica.self_distillation.best_mixing", "replica.self_distillation.for_ever"),
        ),
        Entry(
            name="random_teacher",
            room="replica",
            cls="RandomTeacher",
            family="Descent",
            about="features distilled from a random teacher, and a probe of them on labels: early students are better",
            simulated="gradient flow of the student, ridge regression on its features",
            solved="filter of the inputs, eigenframework",
            papers=("sarnthein_2023", "simon_2024"),
            figures=("random_teacher",),
        ),
        Entry(
            name="plasticity",
            room="odes",
            cls="Plasticity",
            family="Descent",
            about="a deep linear net that learns tasks in turn: relearning times, and what penalties make of them",
            simulated="gradient flow, or steps on batches, task by task",
            solved="each direction in closed form",
            papers=("lewandowski_2025", "lyle_2023", "kumar_2025", "saxe_2014"),
            figures=("plasticity",),
        ),
        Entry(
            name="training_set",
            room="odes",
            cls="TrainingSet",
            family="Descent",
            about="one layer on αN stored examples, any loss: overfitting, early stopping, minibatches, momentum",
            simulated="descent on a training set: all at once, minibatches, epochs, flow",
            solved="dynamical mean-field theory on sample paths, exact in time",
            papers=("mignacco_2020", "gerbelot_2024", "eissfeller_opper_1992", "bolthausen_2014"),
            figures=("training_set", "stored_examples"),
        ),
        Entry(
            name="linear_network",
            room="odes",
            cls="LinearNetwork",
            family="Descent",
            about="two linear layers, rich or lazy by rank, alignment, scale and balance of the start",
            simulated="gradient flow or descent of the network",
            solved="exact solution of balanced starts, flow of blocks",
            papers=("liu_2024", "braun_2022", "domine_2025", "saxe_2014"),
            figures=("linear_network",),
            functions=("physics.flows.linear_layers.balanced", "physics.flows.linear_layers.learned_alignment"),
        ),
        Entry(
            name="dataset_distillation",
            room="replica",
            cls="DatasetDistillation",
            family="Descent",
            about="few synthetic points in the place of a training set: what is lost, over their number",
            simulated="students of real and synthetic sets",
            solved="the part of the real spectrum that points hold",
            papers=("wang_2018", "cazenavette_2022", "sajedi_2023"),
            figures=("dataset_distillation",),
            functions=("replica.dataset_distillation.points_for",),
        ),
        Entry(
            name="guidance",
            room="odes",
            cls="Guidance",
            family="Descent",
            about="a linear network that was pretrained on its inputs, or is held to a guide's hidden layer",
            simulated="gradient flow of the network",
            solved="modes in closed form and by equations of motion",
            papers=("amos_2024", "subramaniam_2024", "saxe_2014"),
            figures=("guidance",),
            functions=(
                "odes.guidance.learning_times",
                "odes.guidance.escape_rate",
                "odes.guidance.starved",
            ),
        ),
        Entry(
            name="xor_clusters",
            room="odes",
            cls="XorClusters",
            family="Descent",
            about="XOR clusters with flipped labels: known by heart at once, and the rule much later",
            simulated="descent of a net of ReLUs",
            solved="fields from the Gram matrix of many dimensions",
            papers=("xu_2024",),
            figures=("xor_clusters",),
        ),
        Entry(
            name="quadratic_feature",
            room="odes",
            cls="QuadraticFeature",
            family="Descent",
            about="grokking: quadratic features from lazy to rich, training and test error over time",
            simulated="gradient flow of the network, or of its linearisation",
            solved="exact flow of mean and covariance of weights",
            papers=("kumar_2024",),
            figures=("quadratic_feature",),
            functions=("odes.quadratic_feature.population",),
        ),
        Entry(
            name="linear_estimator",
            room="odes",
            cls="LinearEstimator",
            family="Descent",
            about="a linear student that groks: its examples are fitted at once, fresh inputs told late",
            simulated="gradient flow or descent on a training set",
            solved="averages over the spectrum of the data",
            papers=("levi_2024", "advani_2020"),
            figures=("linear_estimator",),
            functions=("odes.linear_estimator.delay",),
        ),
        Entry(
            name="potts_attention",
            room="replica",
            cls="PottsAttention",
            family="Sequences",
            about="factored attention that learns to fill in masked sites of Potts sequences",
            simulated="Gibbs sampling, masked training of attention",
            solved="replicas",
            papers=("rende_2024", "aurell_ekeberg_2012"),
            figures=("potts_attention",),
            functions=(
                "sims.engines.potts.sample",
                "numerics.autocorrelation.autocorrelation",
                "physics.potts.exact",
                "physics.potts.zero_sum",
                "physics.potts.contact_scores",
                "physics.potts.curie_weiss",
                "physics.potts.curie_weiss_lines",
            ),
        ),
        Entry(
            name="linear_icl",
            room="replica",
            cls="LinearICL",
            family="Sequences",
            about="in-context regression by linear attention: prompts of few tasks or of many, and new tasks",
            simulated="attention trained on drawn prompts",
            solved="eigenframework of query times context",
            papers=("lu_2024", "raventos_2023", "garg_2022"),
            figures=("linear_icl",),
            functions=("replica.linear_icl.best_ridge", "replica.linear_icl.endless", "replica.linear_icl.bayes"),
        ),
        Entry(
            name="spin_chain_states",
            room="replica",
            cls="SpinChainStates",
            family="Quantum states",
            about="networks as ground states of Ising and Heisenberg chains: all trained, or the output layer alone",
            simulated="Metropolis or all configurations, stochastic reconfiguration",
            solved="free fermions, Bethe ansatz, exact diagonalisation",
            papers=("rende_finetuning_2024", "carleo_troyer_2017", "sorella_1998"),
            figures=("spin_chain_states",),
            functions=(
                "physics.spins.chains.ising",
                "physics.spins.chains.ising_gap",
                "physics.spins.chains.heisenberg",
                "physics.spins.chains.j1_j2",
            ),
        ),
    )
}
