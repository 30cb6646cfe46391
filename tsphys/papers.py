"""The papers that the models come from: what `tsphys cite` prints and `tsphys models --paper` searches; data only."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A paper.

    Parameters
    ----------
    authors : str
        ``Family, Given`` joined by `` and ``, as BibTeX has them.
    title, venue : str
        Title; journal with volume and page, or proceedings.
    year : int
    doi, arxiv : str
        Identifiers, where there are some.
    """

    authors: str
    title: str
    venue: str
    year: int
    doi: str = ""
    arxiv: str = ""

    @property
    def short(self) -> str:
        """Families and year: ``Saad & Solla 1995``; ``Goldt et al. 2019`` from four authors on."""
        families = [name.split(",")[0] for name in self.authors.split(" and ")]
        if len(families) > 3 or families[-1] == "others":
            return f"{families[0]} et al. {self.year}"
        return f"{', '.join(families[:-1])}{' & ' if len(families) > 1 else ''}{families[-1]} {self.year}"

    def speaks_of(self, text: str) -> bool:
        """Whether every word of a text stands in it somewhere, whatever their case and accents."""
        all_of_it = " ".join((self.authors, self.title, self.venue, str(self.year), self.doi, self.arxiv, self.short))
        words = plain(text).replace("arxiv:", " ").replace("doi:", " ").replace("https://doi.org/", " ")
        return all(word in plain(all_of_it) for word in words.replace(",", " ").split() if word not in ("&", "and"))

    def bibtex(self, key: str) -> str:
        """Its entry for BibTeX."""
        fields = {"author": self.authors, "title": f"{{{self.title}}}", "year": str(self.year)}
        journal = re.fullmatch(r"(.+?) (\d+), (\w+)", self.venue)
        if journal:
            kind = "article"
            fields |= dict(zip(("journal", "volume", "pages"), journal.groups(), strict=True))
        else:
            kind = "inproceedings"
            fields["booktitle"] = self.venue
        fields |= {"doi": self.doi} if self.doi else {}
        fields |= {"eprint": self.arxiv, "archiveprefix": "arXiv"} if self.arxiv else {}
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        return f"@{kind}{{{key},\n{lines}}}"


def plain(text: str) -> str:
    """A text in lower case, without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


PAPERS = {
    "saad_solla_1995": Paper(
        "Saad, David and Solla, Sara A.",
        "On-line learning in soft committee machines",
        "Physical Review E 52, 4225",
        1995,
        doi="10.1103/PhysRevE.52.4225",
    ),
    "saad_solla_1995_exact": Paper(
        "Saad, David and Solla, Sara A.",
        "Exact solution for on-line learning in multilayer neural networks",
        "Physical Review Letters 74, 4337",
        1995,
        doi="10.1103/PhysRevLett.74.4337",
    ),
    "biehl_schwarze_1995": Paper(
        "Biehl, Michael and Schwarze, Holm",
        "Learning by on-line gradient descent",
        "Journal of Physics A: Mathematical and General 28, 643",
        1995,
        doi="10.1088/0305-4470/28/3/018",
    ),
    "goldt_2019": Paper(
        "Goldt, Sebastian and Advani, Madhu S. and Saxe, Andrew M. and Krzakala, Florent and Zdeborová, Lenka",
        "Dynamics of stochastic gradient descent for two-layer neural networks in the teacher-student setup",
        "Advances in Neural Information Processing Systems 32",
        2019,
        arxiv="1906.08632",
    ),
    "kinzel_rujan_1990": Paper(
        "Kinzel, Wolfgang and Ruján, Pál",
        "Improving a network generalization ability by selecting examples",
        "Europhysics Letters 13, 473",
        1990,
    ),
    "kinouchi_caticha_1992": Paper(
        "Kinouchi, Osame and Caticha, Nestor",
        "Optimal generalization in perceptrons",
        "Journal of Physics A: Mathematical and General 25, 6243",
        1992,
        doi="10.1088/0305-4470/25/23/020",
    ),
    "biehl_riegler_1994": Paper(
        "Biehl, Michael and Riegler, Peter",
        "On-line learning with a perceptron",
        "Europhysics Letters 28, 525",
        1994,
    ),
    "chen_2016": Paper(
        "Chen, Tianqi and Goodfellow, Ian and Shlens, Jonathon",
        "Net2Net: accelerating learning via knowledge transfer",
        "International Conference on Learning Representations",
        2016,
        arxiv="1511.05641",
    ),
    "li_2016": Paper(
        "Li, Yixuan and Yosinski, Jason and Clune, Jeff and Lipson, Hod and Hopcroft, John",
        "Convergent learning: do different neural networks learn the same representations?",
        "International Conference on Learning Representations",
        2016,
        arxiv="1511.07543",
    ),
    "bernstein_2019": Paper(
        "Bernstein, Jeremy and Zhao, Jiawei and Azizzadenesheli, Kamyar and Anandkumar, Anima",
        "signSGD with majority vote is communication efficient and fault tolerant",
        "International Conference on Learning Representations",
        2019,
        arxiv="1810.05291",
    ),
    "pezeshki_2021": Paper(
        "Pezeshki, Mohammad and Kaba, Oumar and Bengio, Yoshua and Courville, Aaron and Precup, Doina and Lajoie, "
        "Guillaume",
        "Gradient starvation: a learning proclivity in neural networks",
        "Advances in Neural Information Processing Systems",
        2021,
        arxiv="2011.09468",
    ),
    "liu_2021": Paper(
        "Liu, Evan Zheran and Haghgoo, Behzad and Chen, Annie S. and Raghunathan, Aditi and Koh, Pang Wei and Sagawa, "
        "Shiori and Liang, Percy and Finn, Chelsea",
        "Just train twice: improving group robustness without training group information",
        "International Conference on Machine Learning",
        2021,
        arxiv="2107.09044",
    ),
    "zhang_2022": Paper(
        "Zhang, Jianyu and Lopez-Paz, David and Bottou, Léon",
        "Rich feature construction for the optimization-generalization dilemma",
        "International Conference on Machine Learning",
        2022,
        arxiv="2203.15516",
    ),
    "lee_2021": Paper(
        "Lee, Sebastian and Goldt, Sebastian and Saxe, Andrew",
        "Continual learning in the teacher-student setup: impact of task similarity",
        "International Conference on Machine Learning",
        2021,
        arxiv="2107.04384",
    ),
    "lee_2022": Paper(
        "Lee, Sebastian and Sarao Mannelli, Stefano and Clopath, Claudia and Goldt, Sebastian and Saxe, Andrew",
        "Maslow's hammer for catastrophic forgetting: node re-use vs node activation",
        "International Conference on Machine Learning",
        2022,
        arxiv="2205.09029",
    ),
    "kirkpatrick_2017": Paper(
        "Kirkpatrick, James and others",
        "Overcoming catastrophic forgetting in neural networks",
        "Proceedings of the National Academy of Sciences 114, 3521",
        2017,
        doi="10.1073/pnas.1611835114",
    ),
    "cha_cho_2024": Paper(
        "Cha, Sungmin and Cho, Kyunghyun",
        "Hyperparameters in continual learning: a reality check",
        "arXiv preprint",
        2024,
        arxiv="2403.09066",
    ),
    "margiotta_2023": Paper(
        "Margiotta, Riccardo Giuseppe and Goldt, Sebastian and Sanguinetti, Guido",
        "Attacks on online learners: a teacher-student analysis",
        "Advances in Neural Information Processing Systems 36",
        2023,
        arxiv="2305.11132",
    ),
    "zhang_2020": Paper(
        "Zhang, Xuezhou and Zhu, Xiaojin and Lessard, Laurent",
        "Online data poisoning attacks",
        "Learning for Dynamics and Control",
        2020,
        arxiv="1903.01666",
    ),
    "refinetti_2023": Paper(
        "Refinetti, Maria and Ingrosso, Alessandro and Goldt, Sebastian",
        "Neural networks trained with SGD learn distributions of increasing complexity",
        "International Conference on Machine Learning",
        2023,
        arxiv="2211.11567",
    ),
    "refinetti_2021": Paper(
        "Refinetti, Maria and Goldt, Sebastian and Krzakala, Florent and Zdeborová, Lenka",
        "Classifying high-dimensional Gaussian mixtures: where kernel methods fail and neural networks succeed",
        "International Conference on Machine Learning",
        2021,
        arxiv="2102.11742",
    ),
    "szekely_2024": Paper(
        "Székely, Eszter and Bardone, Lorenzo and Gerace, Federica and Goldt, Sebastian",
        "Learning from higher-order correlations, efficiently: hypothesis tests, random features, and neural networks",
        "Advances in Neural Information Processing Systems 37",
        2024,
        arxiv="2312.14922",
    ),
    "bardone_goldt_2024": Paper(
        "Bardone, Lorenzo and Goldt, Sebastian",
        "Sliding down the stairs: how correlated latent variables accelerate learning with neural networks",
        "International Conference on Machine Learning",
        2024,
        arxiv="2404.08602",
    ),
    "chen_2024": Paper(
        "Chen, Aochuan and others",
        "DeepZero: scaling up zeroth-order optimization for deep model training",
        "International Conference on Learning Representations",
        2024,
        arxiv="2310.02025",
    ),
    "nesterov_spokoiny_2017": Paper(
        "Nesterov, Yurii and Spokoiny, Vladimir",
        "Random gradient-free minimization of convex functions",
        "Foundations of Computational Mathematics 17, 527",
        2017,
        doi="10.1007/s10208-015-9296-2",
    ),
    "goldt_2020": Paper(
        "Goldt, Sebastian and Mézard, Marc and Krzakala, Florent and Zdeborová, Lenka",
        "Modelling the influence of data structure on learning in neural networks: the hidden manifold model",
        "Physical Review X 10, 041044",
        2020,
        doi="10.1103/PhysRevX.10.041044",
        arxiv="1909.11500",
    ),
    "goldt_2022": Paper(
        "Goldt, Sebastian and Loureiro, Bruno and Reeves, Galen and Krzakala, Florent and Mézard, Marc and "
        "Zdeborová, Lenka",
        "The Gaussian equivalence of generative models for learning with shallow neural networks",
        "Mathematical and Scientific Machine Learning",
        2022,
        arxiv="2006.14709",
    ),
    "yoshida_okada_2019": Paper(
        "Yoshida, Yuki and Okada, Masato",
        "Data-dependence of plateau phenomenon in learning with neural network: statistical mechanical analysis",
        "Advances in Neural Information Processing Systems 32",
        2019,
    ),
    "li_2023_lazy": Paper(
        "Li, Zonglin and You, Chong and Bhojanapalli, Srinadh and Li, Daliang and Rawat, Ankit Singh and "
        "Reddi, Sashank J. and Ye, Ke and Chern, Felix and Yu, Felix and Guo, Ruiqi and Kumar, Sanjiv",
        "The lazy neuron phenomenon: on emergence of activation sparsity in transformers",
        "International Conference on Learning Representations",
        2023,
        arxiv="2210.06313",
    ),
    "roberts_2019": Paper(
        "Roberts, Nicholas and Prabhu, Vinay Uday and McAteer, Matthew",
        "Model weight theft with just noise inputs: the curious case of the petulant attacker",
        "ICML Workshop on Security and Privacy of Machine Learning",
        2019,
        arxiv="1912.08987",
    ),
    "hopfield_1982": Paper(
        "Hopfield, John J.",
        "Neural networks and physical systems with emergent collective computational abilities",
        "Proceedings of the National Academy of Sciences 79, 2554",
        1982,
        doi="10.1073/pnas.79.8.2554",
    ),
    "amit_1985": Paper(
        "Amit, Daniel J. and Gutfreund, Hanoch and Sompolinsky, Haim",
        "Spin-glass models of neural networks",
        "Physical Review A 32, 1007",
        1985,
        doi="10.1103/PhysRevA.32.1007",
    ),
    "amit_1987": Paper(
        "Amit, Daniel J. and Gutfreund, Hanoch and Sompolinsky, Haim",
        "Statistical mechanics of neural networks near saturation",
        "Annals of Physics 173, 30",
        1987,
        doi="10.1016/0003-4916(87)90092-3",
    ),
    "tsodyks_feigelman_1988": Paper(
        "Tsodyks, Mikhail V. and Feigel'man, Mikhail V.",
        "The enhanced storage capacity in neural networks with low activity level",
        "Europhysics Letters 6, 101",
        1988,
        doi="10.1209/0295-5075/6/2/002",
    ),
    "gardner_1987": Paper(
        "Gardner, Elizabeth",
        "Multiconnected neural network models",
        "Journal of Physics A: Mathematical and General 20, 3453",
        1987,
    ),
    "krotov_hopfield_2016": Paper(
        "Krotov, Dmitry and Hopfield, John J.",
        "Dense associative memory for pattern recognition",
        "Advances in Neural Information Processing Systems 29",
        2016,
        arxiv="1606.01164",
    ),
    "demircigil_2017": Paper(
        "Demircigil, Mete and Heusel, Judith and Löwe, Matthias and Upgang, Sven and Vermet, Franck",
        "On a model of associative memory with huge storage capacity",
        "Journal of Statistical Physics 168, 288",
        2017,
        doi="10.1007/s10955-017-1806-y",
    ),
    "agliari_2023_supervised": Paper(
        "Agliari, Elena and others",
        "Dense Hebbian neural networks: a replica symmetric picture of supervised learning",
        "Physica A 626, 129076",
        2023,
        doi="10.1016/j.physa.2023.129076",
        arxiv="2212.00606",
    ),
    "agliari_2023_unsupervised": Paper(
        "Agliari, Elena and others",
        "Dense Hebbian neural networks: a replica symmetric picture of unsupervised learning",
        "Physica A 627, 129143",
        2023,
        arxiv="2211.14067",
    ),
    "lucibello_mezard_2024": Paper(
        "Lucibello, Carlo and Mézard, Marc",
        "Exponential capacity of dense associative memories",
        "Physical Review Letters 132, 077301",
        2024,
        doi="10.1103/PhysRevLett.132.077301",
        arxiv="2304.14964",
    ),
    "goldt_2023": Paper(
        "Goldt, Sebastian and Krzakala, Florent and Zdeborová, Lenka and Brunel, Nicolas",
        "Bayesian reconstruction of memories stored in neural networks from their connectivity",
        "PLoS Computational Biology 19, e1010813",
        2023,
        doi="10.1371/journal.pcbi.1010813",
        arxiv="2105.07416",
    ),
    "lesieur_2017": Paper(
        "Lesieur, Thibault and Krzakala, Florent and Zdeborová, Lenka",
        "Constrained low-rank matrix estimation: phase transitions, approximate message passing and applications",
        "Journal of Statistical Mechanics: Theory and Experiment 2017, 073403",
        2017,
        doi="10.1088/1742-5468/aa7284",
        arxiv="1701.00858",
    ),
    "barbier_2019": Paper(
        "Barbier, Jean and Krzakala, Florent and Macris, Nicolas and Miolane, Léo and Zdeborová, Lenka",
        "Optimal errors and phase transitions in high-dimensional generalized linear models",
        "Proceedings of the National Academy of Sciences 116, 5451",
        2019,
        doi="10.1073/pnas.1802705116",
    ),
    "gyorgyi_1990": Paper(
        "Györgyi, Géza",
        "First-order transition to perfect generalization in a neural network with binary synapses",
        "Physical Review A 41, 7097",
        1990,
        doi="10.1103/PhysRevA.41.7097",
    ),
    "gardner_1988": Paper(
        "Gardner, Elizabeth",
        "The space of interactions in neural network models",
        "Journal of Physics A: Mathematical and General 21, 257",
        1988,
        doi="10.1088/0305-4470/21/1/030",
    ),
    "loureiro_2021": Paper(
        "Loureiro, Bruno and Gerbelot, Cédric and Cui, Hugo and Goldt, Sebastian and Krzakala, Florent and "
        "Mézard, Marc and Zdeborová, Lenka",
        "Learning curves of generic features maps for realistic datasets with a teacher-student model",
        "Advances in Neural Information Processing Systems 34",
        2021,
        arxiv="2102.08127",
    ),
    "mozaffari_2023": Paper(
        "Mozaffari, Hamid and Shejwalkar, Virat and Houmansadr, Amir",
        "Every vote counts: ranking-based training of federated learning to resist poisoning attacks",
        "USENIX Security Symposium 32",
        2023,
        arxiv="2110.04350",
    ),
    "moschella_2023": Paper(
        "Moschella, Luca and Maiorca, Valentino and Fumero, Marco and Norelli, Antonio and Locatello, Francesco and "
        "Rodolà, Emanuele",
        "Relative representations enable zero-shot latent space communication",
        "International Conference on Learning Representations 2023",
        2023,
        arxiv="2209.15430",
    ),
    "sehanobish_2024": Paper(
        "Sehanobish, Arijit and Choromanski, Krzysztof and others",
        "Scalable neural network kernels",
        "International Conference on Learning Representations 2024",
        2024,
        arxiv="2310.13225",
    ),
    "rippel_2014": Paper(
        "Rippel, Oren and Gelbart, Michael A. and Adams, Ryan P.",
        "Learning ordered representations with nested dropout",
        "International Conference on Machine Learning 31",
        2014,
        arxiv="1402.0915",
    ),
    "valipour_2023": Paper(
        "Valipour, Mojtaba and Rezagholizadeh, Mehdi and Rajabzadeh, Hossein and Kavehzadeh, Parsa and Tahaei, Marzieh "
        "and Chen, Boxing and Ghodsi, Ali",
        "SortedNet: a scalable and generalized framework for training modular deep neural networks",
        "arXiv preprint",
        2023,
        arxiv="2309.00255",
    ),
    "jordao_2023": Paper(
        "Jordao, Artur and Correa de Araujo, George and de Almeida Maia, Helena and Pedrini, Helio",
        "When layers play the lottery, all tickets win at initialization",
        "arXiv preprint",
        2023,
        arxiv="2301.10835",
    ),
    "krauth_mezard_1989": Paper(
        "Krauth, Werner and Mézard, Marc",
        "Storage capacity of memory networks with binary couplings",
        "Journal de Physique 50, 3057",
        1989,
    ),
    "gutfreund_stein_1990": Paper(
        "Gutfreund, Hanoch and Stein, Yaakov",
        "Capacity of neural networks with discrete synaptic couplings",
        "Journal of Physics A: Mathematical and General 23, 2613",
        1990,
    ),
    "li_2023_denseshift": Paper(
        "Li, Xinlin and Liu, Bang and Yang, Rui Heng and Courville, Vanessa and Xing, Chao and Partovi Nia, Vahid",
        "DenseShift: towards accurate and efficient low-bit power-of-two quantization",
        "IEEE/CVF International Conference on Computer Vision 2023",
        2023,
        arxiv="2208.09708",
    ),
    "pham_2024": Paper(
        "Pham, Chau and Teterwak, Piotr and Nelson, Soren and Plummer, Bryan A.",
        "MixtureGrowth: growing neural networks by recombining learned parameters",
        "IEEE/CVF Winter Conference on Applications of Computer Vision 2024",
        2024,
        arxiv="2311.04251",
    ),
    "straat_biehl_2019": Paper(
        "Straat, Michiel and Biehl, Michael",
        "On-line learning dynamics of ReLU neural networks using statistical physics techniques",
        "European Symposium on Artificial Neural Networks 2019",
        2019,
        arxiv="1903.07378",
    ),
    "rahimi_recht_2007": Paper(
        "Rahimi, Ali and Recht, Benjamin",
        "Random features for large-scale kernel machines",
        "Advances in Neural Information Processing Systems 20",
        2007,
    ),
    "mei_montanari_2022": Paper(
        "Mei, Song and Montanari, Andrea",
        "The generalization error of random features regression: precise asymptotics and the double descent curve",
        "Communications on Pure and Applied Mathematics 75, 667",
        2022,
        doi="10.1002/cpa.22008",
    ),
    "gerace_2020": Paper(
        "Gerace, Federica and Loureiro, Bruno and Krzakala, Florent and Mézard, Marc and Zdeborová, Lenka",
        "Generalisation error in learning with random features and the hidden manifold model",
        "International Conference on Machine Learning",
        2020,
        arxiv="2002.09339",
    ),
    "wang_2018": Paper(
        "Wang, Tongzhou and Zhu, Jun-Yan and Torralba, Antonio and Efros, Alexei A.",
        "Dataset distillation",
        "arXiv preprint",
        2018,
        arxiv="1811.10959",
    ),
    "cazenavette_2022": Paper(
        "Cazenavette, George and Wang, Tongzhou and Torralba, Antonio and Efros, Alexei A. and Zhu, Jun-Yan",
        "Dataset distillation by matching training trajectories",
        "Conference on Computer Vision and Pattern Recognition",
        2022,
        arxiv="2203.11932",
    ),
    "sajedi_2023": Paper(
        "Sajedi, Ahmad and Khaki, Samir and Amjadian, Ehsan and Liu, Lucy Z. and Lawryshyn, Yuri A. and "
        "Plataniotis, Konstantinos N.",
        "DataDAM: efficient dataset distillation with attention matching",
        "International Conference on Computer Vision",
        2023,
        arxiv="2310.00093",
    ),
    "amos_2024": Paper(
        "Amos, Ido and Berant, Jonathan and Gupta, Ankit",
        "Never train from scratch: fair comparison of long-sequence models requires data-driven priors",
        "International Conference on Learning Representations",
        2024,
        arxiv="2310.02980",
    ),
    "subramaniam_2024": Paper(
        "Subramaniam, Vighnesh and Mayo, David and Conwell, Colin and Poggio, Tomaso and Katz, Boris and "
        "Cheung, Brian and Barbu, Andrei",
        "Training the untrainable: introducing inductive bias via representational alignment",
        "arXiv preprint",
        2024,
        arxiv="2410.20035",
    ),
    "donoho_2009": Paper(
        "Donoho, David L. and Maleki, Arian and Montanari, Andrea",
        "Message-passing algorithms for compressed sensing",
        "Proceedings of the National Academy of Sciences 106, 18914",
        2009,
        doi="10.1073/pnas.0909892106",
    ),
    "krzakala_2012": Paper(
        "Krzakala, Florent and M{\\'e}zard, Marc and Sausset, Fran{\\c c}ois and Sun, Yifan and Zdeborov{\\'a}, Lenka",
        "Statistical-physics-based reconstruction in compressed sensing",
        "Physical Review X 2, 021005",
        2012,
        doi="10.1103/PhysRevX.2.021005",
    ),
    "bayati_2012": Paper(
        "Bayati, Mohsen and Montanari, Andrea",
        "The LASSO risk for Gaussian matrices",
        "IEEE Transactions on Information Theory 58, 1997",
        2012,
        doi="10.1109/TIT.2011.2174612",
    ),
    "li_2024": Paper(
        "Li, Junbo and Miao, Zichen and Qiu, Qiang and Zhang, Ruqi",
        "Training Bayesian neural networks with sparse subspace variational inference",
        "International Conference on Learning Representations",
        2024,
        arxiv="2402.11025",
    ),
    "tran_2022": Paper(
        "Tran, Ba-Hien and Rossi, Simone and Milios, Dimitrios and Filippone, Maurizio",
        "All you need is a good functional prior for Bayesian deep learning",
        "Journal of Machine Learning Research 23, 1",
        2022,
        arxiv="2011.12829",
    ),
    "simon_2024": Paper(
        "Simon, James B. and Karkada, Dhruva and Ghosh, Nikhil and Belkin, Mikhail",
        "More is better in modern machine learning: when infinite overparameterization is optimal and overfitting is "
        "obligatory",
        "International Conference on Learning Representations",
        2024,
        arxiv="2311.14646",
    ),
    "bordelon_2020": Paper(
        "Bordelon, Blake and Canatar, Abdulkadir and Pehlevan, Cengiz",
        "Spectrum dependent learning curves in kernel regression and wide neural networks",
        "International Conference on Machine Learning",
        2020,
        arxiv="2002.02561",
    ),
    "favero_2021": Paper(
        "Favero, Alessandro and Cagnetta, Francesco and Wyart, Matthieu",
        "Locality defeats the curse of dimensionality in convolutional teacher-student scenarios",
        "Advances in Neural Information Processing Systems 34",
        2021,
        arxiv="2106.08619",
    ),
    "cagnetta_2023": Paper(
        "Cagnetta, Francesco and Favero, Alessandro and Wyart, Matthieu",
        "What can be learnt with wide convolutional neural networks?",
        "International Conference on Machine Learning",
        2023,
        arxiv="2208.01003",
    ),
    "spigler_2020": Paper(
        "Spigler, Stefano and Geiger, Mario and Wyart, Matthieu",
        "Asymptotic learning curves of kernel methods: empirical data versus teacher-student paradigm",
        "Journal of Statistical Mechanics 2020, 124001",
        2020,
        doi="10.1088/1742-5468/abc61d",
        arxiv="1905.10843",
    ),
    "li_2023": Paper(
        "Li, Ming and Sonoda, Sho and Cao, Feilong and Wang, Yu Guang and Liang, Jiye",
        "How powerful are shallow neural networks with bandlimited random weights?",
        "International Conference on Machine Learning",
        2023,
        arxiv="2008.08427",
    ),
    "fu_2023": Paper(
        "Fu, Hengyu and Guo, Tianyu and Bai, Yu and Mei, Song",
        "What can a single attention layer learn? A study through the random features lens",
        "Advances in Neural Information Processing Systems 36",
        2023,
        arxiv="2307.11353",
    ),
    "rende_2024": Paper(
        "Rende, Riccardo and Gerace, Federica and Laio, Alessandro and Goldt, Sebastian",
        "Mapping of attention mechanisms to a generalized Potts model",
        "Physical Review Research 6, 023057",
        2024,
        doi="10.1103/PhysRevResearch.6.023057",
        arxiv="2304.07235",
    ),
    "wu_1982": Paper(
        "Wu, F. Y.",
        "The Potts model",
        "Reviews of Modern Physics 54, 235",
        1982,
        doi="10.1103/RevModPhys.54.235",
    ),
    "costeniuc_2005": Paper(
        "Costeniuc, Marius and Ellis, Richard S. and Touchette, Hugo",
        "Complete analysis of phase transitions and ensemble equivalence for the Curie-Weiss-Potts model",
        "Journal of Mathematical Physics 46, 063301",
        2005,
        doi="10.1063/1.1904507",
    ),
    "aurell_ekeberg_2012": Paper(
        "Aurell, Erik and Ekeberg, Magnus",
        "Inverse Ising inference using all the data",
        "Physical Review Letters 108, 090201",
        2012,
        doi="10.1103/PhysRevLett.108.090201",
    ),
    "riegler_biehl_1995": Paper(
        "Riegler, Peter and Biehl, Michael",
        "On-line backpropagation in two-layered neural networks",
        "Journal of Physics A: Mathematical and General 28, L507",
        1995,
    ),
    "malladi_2023": Paper(
        "Malladi, Sadhika and others",
        "Fine-tuning language models with just forward passes",
        "Advances in Neural Information Processing Systems 36",
        2023,
        arxiv="2305.17333",
    ),
    "ben_arous_2021": Paper(
        "Ben Arous, Gerard and Gheissari, Reza and Jagannath, Aukosh",
        "Online stochastic gradient descent on non-convex losses from high-dimensional inference",
        "Journal of Machine Learning Research 22, 106",
        2021,
    ),
    "liu_2020": Paper(
        "Liu, Sheng and Niles-Weed, Jonathan and Razavian, Narges and Fernandez-Granda, Carlos",
        "Early-learning regularization prevents memorization of noisy labels",
        "Advances in Neural Information Processing Systems 33 (2020)",
        2020,
        arxiv="2007.00151",
    ),
    "chowers_2023": Paper(
        "Chowers, Rotem and Weiss, Yair",
        "What do {CNNs} learn in the first layer and why? {A} linear systems perspective",
        "International Conference on Machine Learning (2023)",
        2023,
        arxiv="2206.02454",
    ),
    "lewandowski_2025": Paper(
        "Lewandowski, Alex and Bortkiewicz, Michał and Kumar, Saurabh and György, András and Schuurmans, Dale and "
        "Ostaszewski, Mateusz and Machado, Marlos C.",
        "Learning continually by spectral regularization",
        "International Conference on Learning Representations (2025)",
        2025,
        arxiv="2406.06811",
    ),
    "lyle_2023": Paper(
        "Lyle, Clare and Zheng, Zeyu and Nikishin, Evgenii and Pires, Bernardo Avila and Pascanu, Razvan and "
        "Dabney, Will",
        "Understanding plasticity in neural networks",
        "International Conference on Machine Learning (2023)",
        2023,
        arxiv="2303.01486",
    ),
    "kumar_2025": Paper(
        "Kumar, Saurabh and Marklund, Henrik and Van Roy, Benjamin",
        "Maintaining plasticity in continual learning via regenerative regularization",
        "Conference on Lifelong Learning Agents (2025)",
        2025,
        arxiv="2308.11958",
    ),
    "saxe_2014": Paper(
        "Saxe, Andrew M. and McClelland, James L. and Ganguli, Surya",
        "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
        "International Conference on Learning Representations (2014)",
        2014,
        arxiv="1312.6120",
    ),
    "advani_2020": Paper(
        "Advani, Madhu S. and Saxe, Andrew M. and Sompolinsky, Haim",
        "High-dimensional dynamics of generalization error in neural networks",
        "Neural Networks 132, 428 (2020)",
        2020,
        arxiv="1710.03667",
    ),
    "doimo_2022": Paper(
        "Doimo, Diego and Glielmo, Aldo and Goldt, Sebastian and Laio, Alessandro",
        "Redundant representations help generalization in wide neural networks",
        "Advances in Neural Information Processing Systems 35 (2022)",
        2022,
        arxiv="2106.03485",
    ),
    "lu_2024": Paper(
        "Lu, Yue M. and Letey, Mary I. and Zavatone-Veth, Jacob A. and Maiti, Anindita and Pehlevan, Cengiz",
        "Asymptotic theory of in-context learning by linear attention",
        "arXiv preprint",
        2024,
        arxiv="2405.11751",
    ),
    "raventos_2023": Paper(
        "Raventós, Allan and Paul, Mansheej and Chen, Feng and Ganguli, Surya",
        "Pretraining task diversity and the emergence of non-Bayesian in-context learning for regression",
        "Advances in Neural Information Processing Systems 36 (2023)",
        2023,
        arxiv="2306.15063",
    ),
    "garg_2022": Paper(
        "Garg, Shivam and Tsipras, Dimitris and Liang, Percy and Valiant, Gregory",
        "What can transformers learn in-context? A case study of simple function classes",
        "Advances in Neural Information Processing Systems 35 (2022)",
        2022,
        arxiv="2208.01066",
    ),
    "chan_2022": Paper(
        "Chan, Stephanie C. Y. and Santoro, Adam and Lampinen, Andrew K. and Wang, Jane X. and Singh, Aaditya K. and "
        "Richemond, Pierre H. and McClelland, James L. and Hill, Felix",
        "Data distributional properties drive emergent in-context learning in transformers",
        "Advances in Neural Information Processing Systems 35 (2022)",
        2022,
        arxiv="2205.05055",
    ),
    "reddy_2024": Paper(
        "Reddy, Gautam",
        "The mechanistic basis of data dependence and abrupt learning in an in-context classification task",
        "International Conference on Learning Representations (2024)",
        2024,
        arxiv="2312.03002",
    ),
    "nguyen_reddy_2025": Paper(
        "Nguyen, Alex and Reddy, Gautam",
        "Differential learning kinetics govern the transition from memorization to generalization during in-context "
        "learning",
        "International Conference on Learning Representations (2025)",
        2025,
        arxiv="2412.00104",
    ),
    "arora_2023": Paper(
        "Arora, Viplove and Irto, Daniele and Goldt, Sebastian and Sanguinetti, Guido",
        "Quantifying lottery tickets under label noise: accuracy, calibration, and complexity",
        "Proceedings of Machine Learning Research 216 (UAI 2023), 88",
        2023,
        arxiv="2306.12190",
    ),
    "yildirim_2023": Paper(
        "Yildirim, Murat Onur and Gok Yildirim, Elif Ceren and Sokar, Ghada and Mocanu, Decebal Constantin and "
        "Vanschoren, Joaquin",
        "Continual learning with dynamic sparse training: exploring algorithms for effective model updates",
        "arXiv preprint",
        2023,
        arxiv="2308.14831",
    ),
    "frankle_2019": Paper(
        "Frankle, Jonathan and Dziugaite, Gintare Karolina and Roy, Daniel M. and Carbin, Michael",
        "Stabilizing the lottery ticket hypothesis",
        "arXiv preprint",
        2019,
        arxiv="1903.01611",
    ),
    "liu_2022": Paper(
        "Liu, Shiwei and Chen, Tianlong and Chen, Xiaohan and Shen, Li and Mocanu, Decebal Constantin and Wang, "
        "Zhangyang and Pechenizkiy, Mykola",
        "The unreasonable effectiveness of random pruning: return of the most naive baseline for sparse training",
        "International Conference on Learning Representations (2022)",
        2022,
        arxiv="2202.02643",
    ),
    "li_talwalkar_2020": Paper(
        "Li, Liam and Talwalkar, Ameet",
        "Random search and reproducibility for neural architecture search",
        "Uncertainty in Artificial Intelligence (2020)",
        2020,
        arxiv="1902.07638",
    ),
    "frankle_carbin_2019": Paper(
        "Frankle, Jonathan and Carbin, Michael",
        "The lottery ticket hypothesis: finding sparse, trainable neural networks",
        "International Conference on Learning Representations (2019)",
        2019,
        arxiv="1803.03635",
    ),
    "he_2022": Paper(
        "He, Zheng and Xie, Zeke and Zhu, Quanzhi and Qin, Zengchang",
        "Sparse double descent: where network pruning aggravates overfitting",
        "Proceedings of Machine Learning Research 162 (ICML 2022), 8635",
        2022,
        arxiv="2206.08684",
    ),
    "sorscher_2022": Paper(
        "Sorscher, Ben and Geirhos, Robert and Shekhar, Shashank and Ganguli, Surya and Morcos, Ari S.",
        "Beyond neural scaling laws: beating power law scaling via data pruning",
        "Advances in Neural Information Processing Systems 35 (2022)",
        2022,
        arxiv="2206.14486",
    ),
    "paul_2021": Paper(
        "Paul, Mansheej and Ganguli, Surya and Dziugaite, Gintare Karolina",
        "Deep learning on a data diet: finding important examples early in training",
        "Advances in Neural Information Processing Systems 34 (2021)",
        2021,
        arxiv="2107.07075",
    ),
    "mobahi_2020": Paper(
        "Mobahi, Hossein and Farajtabar, Mehrdad and Bartlett, Peter L.",
        "Self-distillation amplifies regularization in Hilbert space",
        "Advances in Neural Information Processing Systems 33 (2020)",
        2020,
        arxiv="2002.05715",
    ),
    "sarnthein_2023": Paper(
        "Sarnthein, Felix and Bachmann, Gregor and Anagnostidis, Sotiris and Hofmann, Thomas",
        "Random teachers are good teachers",
        "International Conference on Machine Learning (2023)",
        2023,
        arxiv="2302.12091",
    ),
    "das_2023": Paper(
        "Das, Rudrajit and Sanghavi, Sujay",
        "Understanding self-distillation in the presence of label noise",
        "Proceedings of Machine Learning Research 202 (ICML 2023)",
        2023,
        arxiv="2301.13304",
    ),
    "cubuk_2017": Paper(
        "Cubuk, Ekin D. and Zoph, Barret and Schoenholz, Samuel S. and Le, Quoc V.",
        "Intriguing properties of adversarial examples",
        "arXiv preprint",
        2017,
        arxiv="1711.02846",
    ),
    "javanmard_2022": Paper(
        "Javanmard, Adel and Soltanolkotabi, Mahdi",
        "Precise statistical analysis of classification accuracies for adversarial training",
        "Annals of Statistics 50, 2127",
        2022,
        doi="10.1214/22-AOS2180",
        arxiv="2010.11213",
    ),
    "tanner_2025": Paper(
        "Tanner, Kasimir and Vilucchio, Matteo and Loureiro, Bruno and Krzakala, Florent",
        "A high dimensional statistical model for adversarial training: geometry and trade-offs",
        "Proceedings of Machine Learning Research 258 (AISTATS 2025)",
        2025,
        arxiv="2402.05674",
    ),
    "li_2018": Paper(
        "Li, Chunyuan and Farkhoor, Heerad and Liu, Rosanne and Yosinski, Jason",
        "Measuring the intrinsic dimension of objective landscapes",
        "International Conference on Learning Representations (2018)",
        2018,
        arxiv="1804.08838",
    ),
    "larsen_2022": Paper(
        "Larsen, Brett W. and Fort, Stanislav and Becker, Nic and Ganguli, Surya",
        "How many degrees of freedom do we need to train deep networks: a loss landscape perspective",
        "International Conference on Learning Representations (2022)",
        2022,
        arxiv="2107.05802",
    ),
    "candes_sur_2020": Paper(
        "Candès, Emmanuel J. and Sur, Pragya",
        "The phase transition for the existence of the maximum likelihood estimate in high-dimensional logistic "
        "regression",
        "Annals of Statistics 48, 27",
        2020,
        doi="10.1214/18-AOS1789",
        arxiv="1804.09753",
    ),
    "cover_1965": Paper(
        "Cover, Thomas M.",
        "Geometrical and statistical properties of systems of linear inequalities with applications in pattern "
        "recognition",
        "IEEE Transactions on Electronic Computers EC-14, 326",
        1965,
        doi="10.1109/PGEC.1965.264137",
    ),
    "belkin_2020": Paper(
        "Belkin, Mikhail and Hsu, Daniel and Xu, Ji",
        "Two models of double descent for weak features",
        "SIAM Journal on Mathematics of Data Science 2, 1167",
        2020,
        doi="10.1137/20M1336072",
        arxiv="1903.07571",
    ),
    "mignacco_2020": Paper(
        "Mignacco, Francesca and Krzakala, Florent and Urbani, Pierfrancesco and Zdeborová, Lenka",
        "Dynamical mean-field theory for stochastic gradient descent in Gaussian mixture classification",
        "Advances in Neural Information Processing Systems 33 (2020)",
        2020,
        arxiv="2006.06098",
    ),
    "gerbelot_2024": Paper(
        "Gerbelot, Cédric and Troiani, Emanuele and Mignacco, Francesca and Krzakala, Florent and Zdeborová, Lenka",
        "Rigorous dynamical mean-field theory for stochastic gradient descent methods",
        "SIAM Journal on Mathematics of Data Science 6, 400",
        2024,
        arxiv="2210.06591",
    ),
    "eissfeller_opper_1992": Paper(
        "Eissfeller, Horst and Opper, Manfred",
        "New method for studying the dynamics of disordered spin systems without finite-size effects",
        "Physical Review Letters 68, 2094",
        1992,
    ),
    "bolthausen_2014": Paper(
        "Bolthausen, Erwin",
        "An iterative construction of solutions of the TAP equations for the Sherrington–Kirkpatrick model",
        "Communications in Mathematical Physics 325, 333",
        2014,
    ),
    "liu_2024": Paper(
        "Liu, Yuhan Helena and Baratin, Aristide and Cornford, Jonathan and Mihalas, Stefan and Shea-Brown, Eric and "
        "Lajoie, Guillaume",
        "How connectivity structure shapes rich and lazy learning in neural circuits",
        "International Conference on Learning Representations (2024)",
        2024,
        arxiv="2310.08513",
    ),
    "braun_2022": Paper(
        "Braun, Lukas and Dominé, Clémentine and Fitzgerald, James and Saxe, Andrew",
        "Exact learning dynamics of deep linear networks with prior knowledge",
        "Advances in Neural Information Processing Systems 35 (2022)",
        2022,
    ),
    "domine_2025": Paper(
        "Dominé, Clémentine C. J. and Anguita, Nicolas and Proca, Alexandra M. and Braun, Lukas and Kunin, Daniel and "
        "Mediano, Pedro A. M. and Saxe, Andrew M.",
        "From lazy to rich: exact learning dynamics in deep linear networks",
        "International Conference on Learning Representations (2025)",
        2025,
        arxiv="2409.14623",
    ),
    "xu_2024": Paper(
        "Xu, Zhiwei and Wang, Yutong and Frei, Spencer and Vardi, Gal and Hu, Wei",
        "Benign overfitting and grokking in ReLU networks for XOR cluster data",
        "International Conference on Learning Representations (2024)",
        2024,
        arxiv="2310.02541",
    ),
    "kumar_2024": Paper(
        "Kumar, Tanishq and Bordelon, Blake and Gershman, Samuel J. and Pehlevan, Cengiz",
        "Grokking as the transition from lazy to rich training dynamics",
        "International Conference on Learning Representations (2024)",
        2024,
        arxiv="2310.06110",
    ),
    "levi_2024": Paper(
        "Levi, Noam and Beck, Alon and Bar-Sinai, Yohai",
        "Grokking in linear estimators: a solvable model that groks without understanding",
        "International Conference on Learning Representations (2024)",
        2024,
        arxiv="2310.16441",
    ),
    "rosenfeld_2024": Paper(
        "Rosenfeld, Elan and Risteski, Andrej",
        "Outliers with opposing signals have an outsized effect on neural network optimization",
        "International Conference on Learning Representations (2024)",
        2024,
        arxiv="2311.04163",
    ),
    "cohen_2021": Paper(
        "Cohen, Jeremy M. and Kaur, Simran and Li, Yuanzhi and Kolter, J. Zico and Talwalkar, Ameet",
        "Gradient descent on neural networks typically occurs at the edge of stability",
        "International Conference on Learning Representations (2021)",
        2021,
        arxiv="2103.00065",
    ),
    "damian_2023": Paper(
        "Damian, Alex and Nichani, Eshaan and Lee, Jason D.",
        "Self-stabilization: the implicit bias of gradient descent at the edge of stability",
        "International Conference on Learning Representations (2023)",
        2023,
        arxiv="2209.15594",
    ),
    "boopathy_2024": Paper(
        "Boopathy, Akhilan and Yue, William and Hwang, Jaedong and Iyer, Abhiram and Fiete, Ila",
        "Towards exact computation of inductive bias",
        "International Joint Conference on Artificial Intelligence",
        2024,
        arxiv="2406.15941",
    ),
    "gyorgyi_tishby_1990": Paper(
        "Györgyi, Géza and Tishby, Naftali",
        "Statistical theory of learning a rule",
        "Neural Networks and Spin Glasses, edited by W. K. Theumann and R. Köberle (World Scientific, Singapore), 3",
        1990,
    ),
    "seung_1992": Paper(
        "Seung, H. Sebastian and Sompolinsky, Haim and Tishby, Naftali",
        "Statistical mechanics of learning from examples",
        "Physical Review A 45, 6056",
        1992,
        doi="10.1103/PhysRevA.45.6056",
    ),
    "poole_2016": Paper(
        "Poole, Ben and Lahiri, Subhaneil and Raghu, Maithra and Sohl-Dickstein, Jascha and Ganguli, Surya",
        "Exponential expressivity in deep neural networks through transient chaos",
        "Advances in Neural Information Processing Systems 29",
        2016,
        arxiv="1606.05340",
    ),
    "schoenholz_2017": Paper(
        "Schoenholz, Samuel S. and Gilmer, Justin and Ganguli, Surya and Sohl-Dickstein, Jascha",
        "Deep information propagation",
        "International Conference on Learning Representations",
        2017,
        arxiv="1611.01232",
    ),
    "jacot_2018": Paper(
        "Jacot, Arthur and Gabriel, Franck and Hongler, Clément",
        "Neural tangent kernel: convergence and generalization in neural networks",
        "Advances in Neural Information Processing Systems 31",
        2018,
        arxiv="1806.07572",
    ),
    "nait_saada_2023": Paper(
        "Nait Saada, Thiziri and Naderi, Alireza and Tanner, Jared",
        "Beyond IID weights: sparse and low-rank deep neural networks are also Gaussian processes",
        "International Conference on Learning Representations",
        2024,
        arxiv="2310.16597",
    ),
    "roberts_2022": Paper(
        "Roberts, Daniel A. and Yaida, Sho and Hanin, Boris",
        "The principles of deep learning theory",
        "Cambridge University Press",
        2022,
        arxiv="2106.10165",
    ),
    "lee_2019": Paper(
        "Lee, Jaehoon and Xiao, Lechao and Schoenholz, Samuel S. and Bahri, Yasaman and Novak, Roman and "
        "Sohl-Dickstein, Jascha and Pennington, Jeffrey",
        "Wide neural networks of any depth evolve as linear models under gradient descent",
        "Advances in Neural Information Processing Systems 32",
        2019,
        arxiv="1902.06720",
    ),
    "lee_2022_student": Paper(
        "Lee, Hyungi and Yun, Eunggu and Yang, Hongseok and Lee, Juho",
        "Scale mixtures of neural network Gaussian processes",
        "International Conference on Learning Representations",
        2022,
        arxiv="2107.01408",
    ),
    "radhakrishnan_2023": Paper(
        "Radhakrishnan, Adityanarayanan and Belkin, Mikhail and Uhler, Caroline",
        "Wide and deep neural networks achieve consistency for classification",
        "Proceedings of the National Academy of Sciences 120, e2208779120",
        2023,
        doi="10.1073/pnas.2208779120",
        arxiv="2204.14126",
    ),
    "devroye_1998": Paper(
        "Devroye, Luc and Györfi, László and Krzyżak, Adam",
        "The Hilbert kernel regression estimate",
        "Journal of Multivariate Analysis 65, 209",
        1998,
    ),
    "rende_finetuning_2024": Paper(
        "Rende, Riccardo and Goldt, Sebastian and Becca, Federico and Viteritti, Luciano Loris",
        "Fine-tuning neural network quantum states",
        "Physical Review Research 6, 043280",
        2024,
        doi="10.1103/PhysRevResearch.6.043280",
        arxiv="2403.07795",
    ),
    "carleo_troyer_2017": Paper(
        "Carleo, Giuseppe and Troyer, Matthias",
        "Solving the quantum many-body problem with artificial neural networks",
        "Science 355, 602",
        2017,
        doi="10.1126/science.aag2302",
        arxiv="1606.02318",
    ),
    "sorella_1998": Paper(
        "Sorella, Sandro",
        "Green function Monte Carlo with stochastic reconfiguration",
        "Physical Review Letters 80, 4558",
        1998,
        doi="10.1103/PhysRevLett.80.4558",
    ),
}

#: tsphys itself for BibTeX, as CITATION.cff has it; its version goes in.
SOFTWARE = """@software{tsphys,
  author = {{The tsphys authors}},
  title = {{tsphys: a laboratory for the statistical physics of learning}},
  version = {%s},
}"""

#: What of a paper is here, and what of it is not; what a model itself leaves open stands on its page.
COVERAGE = {
    "saad_solla_1995": (
        "equations of motion, symmetric plateau, escape, K = M and beyond; also of masked students and of any rule",
        "nothing that we know of",
    ),
    "saad_solla_1995_exact": (
        "the same equations in closed form",
        "nothing that we know of",
    ),
    "biehl_schwarze_1995": (
        "soft committee machines, plateaus, their escape",
        "nothing that we know of",
    ),
    "goldt_2019": (
        "equations of motion, noise floor over width, scaling with learning rate, both layers",
        "ReLU students on images",
    ),
    "kinzel_rujan_1990": (
        "Hebbian online learning of random examples",
        "selecting examples (queries)",
    ),
    "kinouchi_caticha_1992": (
        "the optimal modulation, its law 0.88/t",
        "estimates of what the student does not know",
    ),
    "biehl_riegler_1994": (
        "Hebb, perceptron and AdaTron rules, exact laws at late times",
        "queries",
    ),
    "chen_2016": (
        "wider students by units split in two or at random, loss at once and later; units removed",
        "deeper students, convolutional nets, images",
    ),
    "li_2016": (
        "one-to-one matching of units over time, of students with examples of their own or in common",
        "matching of several units to one, subspaces, convolutional nets, images",
    ),
    "bernstein_2019": (
        "majority votes online, and one vote of whole training sets, with malicious clients, beside the mean",
        "deep networks, momentum, what communication costs",
    ),
    "pezeshki_2021": (
        "a core feature starved of gradient by a spurious one, over time, with both losses; how much of it comes back",
        "spectral decoupling, deep nets, images",
    ),
    "liu_2021": (
        "a second student on examples weighted by the first one's mistakes, over weight and the time of stopping",
        "finite training sets, deep nets, images and text",
    ),
    "zhang_2022": (
        "one round of discovery after another, of linear students",
        "many rounds, features learned by nets, their synthesis by distillation",
    ),
    "lee_2021": (
        "forgetting and transfer over similarity of features and readouts",
        "nothing that we know of",
    ),
    "lee_2022": (
        "interleaving, replay, elastic weights, over similarity",
        "node re-use and activation measured by unit, images",
    ),
    "kirkpatrick_2017": (
        "elastic weight consolidation of online students with several tasks, by theory too",
        "images and games",
    ),
    "cha_cho_2024": (
        "the regret of a penalty that is tuned on one pair of tasks and used on another, EWC and L2, by theory too",
        "algorithms other than penalties, class-incremental tasks, images",
    ),
    "margiotta_2023": (
        "greedy, constant, optimal and clairvoyant attacks, critical price, digits",
        "deep learners attacked on images",
    ),
    "zhang_2020": (
        "optimal control of an online learner by labels",
        "inputs as controls, learned controllers",
    ),
    "refinetti_2023": (
        "clones of a data set by moments, when students leave them, digits",
        "ResNets on CIFAR",
    ),
    "refinetti_2021": (
        "mixtures of Gaussians: two-layer students, online",
        "kernels and random features on mixtures",
    ),
    "szekely_2024": (
        "spiked Wishart and cumulant inputs, neurons by online SGD",
        "hypothesis tests, random features, two-layer students",
    ),
    "bardone_goldt_2024": (
        "correlated and independent spikes in covariance and cumulant, online SGD on the sphere",
        "two-layer students, reusing examples",
    ),
    "chen_2024": (
        "coordinate-wise and random estimates of a gradient, sparse and batched, in two-layer students",
        "deep networks, feature reuse, the benchmark",
    ),
    "nesterov_spokoiny_2017": (
        "random gradient-free steps, cost in the dimension",
        "rates for general convex functions, smoothing of finite size",
    ),
    "goldt_2020": (
        "online learning from a hidden manifold, Gaussian equivalence, any nonlinearity of the inputs; masked students",
        "training on a fixed set, batches over epochs",
    ),
    "goldt_2022": (
        "deep random generators and given inputs, their Gaussian clones",
        "trained generators (bring your own as a function), convolutions",
    ),
    "yoshida_okada_2019": (
        "plateaus under inputs of any covariance; and copying a network by queries along a chain",
        "networks that are trained on Iris and MNIST",
    ),
    "li_2023_lazy": (
        "fewer and fewer active units under random labels, in a two-layer network with biases",
        "transformers, real data, the robustness of sparse networks",
    ),
    "roberts_2019": (
        "copies by independent and Ising queries along a chain, their error on queries and on independent inputs",
        "answers that are labels only, convolutional victims, Ising queries in two dimensions, real data",
    ),
    "hopfield_1982": (
        "the network, its dynamics, recall from spoilt patterns",
        "asymmetric couplings, time sequences",
    ),
    "amit_1985": (
        "retrieval and mixture states over temperature at finite numbers of patterns",
        "asymmetric mixtures",
    ),
    "amit_1987": (
        "replica-symmetric states, phase diagram, capacity, mixtures, the line where replica symmetry breaks",
        "states of broken replica symmetry",
    ),
    "tsodyks_feigelman_1988": (
        "sparse 0/1 patterns with the covariance rule, capacity over activity",
        "sequences and hierarchies",
    ),
    "gardner_1987": (
        "P-body couplings, capacity and phase diagram in replica symmetry",
        "broken replica symmetry",
    ),
    "krotov_hopfield_2016": (
        "powers of overlaps as energies, recall, digits",
        "rectified powers, classification with hidden memories",
    ),
    "demircigil_2017": (
        "exponential interactions, simulated",
        "the proof of their capacity; their theory is that of Lucibello & Mézard",
    ),
    "agliari_2023_supervised": (
        "retrieval from noisy examples with a teacher, phase diagram, Monte Carlo",
        "broken replica symmetry",
    ),
    "agliari_2023_unsupervised": (
        "retrieval from noisy examples without a teacher, phase diagram, Monte Carlo",
        "broken replica symmetry",
    ),
    "lucibello_mezard_2024": (
        "exponential interactions: retrieval and its capacity for ±1 patterns",
        "patterns on the sphere",
    ),
    "goldt_2023": (
        "patterns from noisy, clipped and diluted synapses, sparse ones, phases, message passing",
        "connectomes, spiking networks",
    ),
    "lesieur_2017": (
        "symmetric low-rank estimation, state evolution, phases, several channels",
        "asymmetric factors, communities as a prior",
    ),
    "barbier_2019": (
        "Bayes-optimal errors, free entropies, message passing and all thresholds for many priors and channels",
        "the proof; spatial coupling",
    ),
    "gyorgyi_1990": (
        "binary perceptron: first-order transition and metastable branch",
        "temperature of the student, broken replica symmetry",
    ),
    "gardner_1988": (
        "capacities for random labels, of real weights with any margin and of ±1 weights",
        "storage with errors, biased patterns",
    ),
    "loureiro_2021": (
        "convex risks on Gaussian covariates of any given spectrum, and on random features",
        "students and teachers of different features, except random ones",
    ),
    "mozaffari_2023": (
        "one vote by ranks on the weights to keep, with malicious clients that turn their ranking round",
        "rounds of training under the mask, supermasks of deep networks, other attacks",
    ),
    "moschella_2023": (
        "a readout on products or cosines with anchors, trained on one random net and used on another, over anchors",
        "trained encoders, images and languages, anchors in parallel data",
    ),
    "sehanobish_2024": (
        "the error of a kernel of random ReLU features, with its constant, over the correlation of inputs",
        "layers replaced by products of features, universal random features",
    ),
    "rippel_2014": (
        "the ordered optimum of a linear autoencoder, its modes over time, and the rates at which it comes to rest",
        "nonlinear autoencoders, sweeps over units that are frozen one by one, retrieval",
    ),
    "valipour_2023": (
        "nested networks that are trained at once by sampling their sizes, linear ones, and what their order costs",
        "transformers and convolutional nets, accumulated gradients, search among sizes",
    ),
    "jordao_2023": (
        "layers taken from a chain at its start, which it makes faster, or in its course, where modes jump",
        "residual networks, scores of layers, robustness",
    ),
    "krauth_mezard_1989": (
        "capacity of ±1 weights as the zero of the replica-symmetric entropy",
        "one-step broken replica symmetry, which freezes at the same point; margins",
    ),
    "gutfreund_stein_1990": (
        "capacities of weights on any few levels, 0 and ±1 among them",
        "stability of the replica-symmetric solution, margins",
    ),
    "li_2023_denseshift": (
        "what the level 0 is worth beside powers of two: capacities, transitions of a teacher with levels, rounding",
        "training by signs and scales, deep networks, inference on devices",
    ),
    "pham_2024": (
        "wider students in mid-run, of units split in two or at random, and what both lose at once and later",
        "new units as mixtures of templates, convolutional nets, images",
    ),
    "straat_biehl_2019": (
        "equations of motion of ReLU committees in closed form, realisable or not",
        "nothing that we know of",
    ),
    "rahimi_recht_2007": (
        "random features as kernels, ridge on them",
        "error bounds, random binning",
    ),
    "mei_montanari_2022": (
        "double descent of ridge on random features of Gaussian inputs, over both ratios",
        "inputs on the sphere with targets of higher degree",
    ),
    "gerace_2020": (
        "ridge and logistic readouts of random features, Gaussian equivalence",
        "orthogonal and correlated projections",
    ),
    "wang_2018": (
        "points that train a linear student from a start that is known, or from any, as a whole set does",
        "points found by descent, images, networks",
    ),
    "cazenavette_2022": (
        "points whose training ends where that on the real set does, of linear students, over number and time",
        "stretches of trajectories of networks, images",
    ),
    "sajedi_2023": (
        "synthetic sets that have the real ones' means, or principal components as well",
        "moments in feature space, attention maps, images",
    ),
    "amos_2024": (
        "what pretraining on a task's own inputs saves of the time on the task, mode by mode",
        "sequences, transformers and state-space models, few labels",
    ),
    "subramaniam_2024": (
        "networks held to the hidden layer of a guide that is trained, random or narrow, and for how long",
        "similarity by CKA, layers matched to layers, nets that cannot be trained otherwise",
    ),
    "donoho_2009": (
        "the lasso's error and its λ by state evolution, message passing on instances",
        "minimax thresholds; weights between bounds",
    ),
    "krzakala_2012": (
        "Bayes-optimal recovery of sparse weights, with noise, its thresholds and hard phase",
        "spatially coupled inputs, parameters learned by expectation maximisation (the noise is)",
    ),
    "bayati_2012": (
        "the lasso's error at any λ and its best λ, against exact minima",
        "the proof",
    ),
    "li_2024": (
        "selection by removal and addition at a fixed number of weights, against Bayes, lasso and pursuit",
        "the algorithm itself, variational posteriors, deep networks",
    ),
    "tran_2022": (
        "what a Gaussian prior costs that is not the one behind the target, by its spectrum",
        "matching priors of networks to Gaussian processes, sampling of weights",
    ),
    "simon_2024": (
        "the eigenframework for random features of any spectrum, band-limited too, best ridge, more is better",
        "the bounds on overfitting, image benchmarks (digits here)",
    ),
    "bordelon_2020": (
        "learning curves of any spectrum, mode by mode; that of frozen attention among them",
        "spectra of the NTK from an architecture",
    ),
    "favero_2021": (
        "learning curves of local and convolutional kernels, exponents α_t/s whatever the dimension",
        "overlapping patches, networks that are trained, images",
    ),
    "cagnetta_2023": (
        "the spectrum of scales within scales, adaptation to that of the target",
        "deep nets by their own NTK, minimax bounds",
    ),
    "spigler_2020": (
        "exponents of Laplace-like kernels on Gaussian random fields",
        "images",
    ),
    "li_2023": (
        "the error that bounded frequencies leave, on an interval: jumps at the band's edge, floors",
        "the bounds themselves, weights on the whole line, other units",
    ),
    "fu_2023": (
        "random-feature attention and perceptron, by learning curves: degrees, heads, bias coordinate",
        "biased queries and keys, bounds on the excess risk, softmax",
    ),
    "rende_2024": (
        "masked training of factored attention on Potts sequences, replica theory, Gibbs sampling",
        "several heads and layers, proteins",
    ),
    "wu_1982": (
        "mean field with any number of colours: the transition of first order, its jump and latent heat",
        "lattices, duality, percolation, antiferromagnets",
    ),
    "costeniuc_2005": (
        "phases at fixed temperature, metastable ones too, and sums at finite size",
        "fixed energy, where ensembles are not equivalent",
    ),
    "aurell_ekeberg_2012": (
        "pseudolikelihood for all couplings of a Potts network, masked site by masked site",
        "Ising couplings of given graphs, decimation",
    ),
    "riegler_biehl_1995": (
        "two-layer students by their equations of motion, fixed points",
        "nothing that we know of",
    ),
    "malladi_2023": (
        "two evaluations a step along a random direction, cost against the gradient",
        "language models, the rank argument",
    ),
    "ben_arous_2021": (
        "time of the search by information exponent, from starts of order 1/√N",
        "the proofs",
    ),
    "mignacco_2020": (
        "dynamical mean-field theory of steps on stored examples, all at once or in minibatches",
        "Gaussian mixtures as data, minibatches that persist",
    ),
    "gerbelot_2024": (
        "discrete steps for N → ∞ by Gaussian conditioning, as an algorithm",
        "the proof; input covariances, several layers",
    ),
    "eissfeller_opper_1992": (
        "averages over sample paths, without kernels to invert",
        "spin dynamics",
    ),
    "bolthausen_2014": (
        "conditioning on what was seen, of both sides of a rectangular matrix",
        "TAP equations of the Sherrington–Kirkpatrick model",
    ),
    "liu_2020": (
        "early learning and memorisation of wrong labels by linear flow",
        "the regulariser of the paper, images",
    ),
    "advani_2020": (
        "linear students by gradient flow, training and test error over time at any load, with wrong labels too",
        "nonlinear and deep students, early stopping as a schedule of its own",
    ),
    "rosenfeld_2024": (
        "outliers of two signs, catapults, the exact map of the linear net",
        "images and language",
    ),
    "cohen_2021": (
        "sharpening up to 2/η and oscillation there, in a net that is solved",
        "real networks and losses",
    ),
    "damian_2023": (
        "self-stabilisation as a map of few numbers, at one unstable direction",
        "the general theorem, several directions",
    ),
    "boopathy_2024": (
        "bits of perceptrons, random features and Gaussian processes, before data and after them",
        "its estimates for real tasks and deep nets, after training on data of their own",
    ),
    "gyorgyi_tishby_1990": (
        "volume of the version space by overlap, Gibbs students, spherical weights",
        "learning with noise, stochastic learning at a temperature",
    ),
    "seung_1992": (
        "Gibbs and Bayes students, binary and real weights, in replica symmetry; their volumes as bits",
        "high-temperature and annealed approximations, broken replica symmetry",
    ),
    "cubuk_2017": (
        "errors that grow in proportion to the attack, with the two prefactors of a perceptron",
        "images, architectures, entropy regularisation",
    ),
    "javanmard_2022": (
        "standard and robust accuracy of convex adversarial training, on a teacher's labels",
        "mixtures of Gaussians, inputs with a covariance, attacks of other norms in training",
    ),
    "tanner_2025": (
        "adversarial training of logistic regression on isotropic inputs, with its effective ridge and its collapse",
        "inputs and attacks with a geometry of their own, directions that are robust or not",
    ),
    "li_2018": (
        "the dimension at which training in a random subspace succeeds, or reaches a share of the performance",
        "networks, Fastfood projections",
    ),
    "larsen_2022": (
        "success over the dimension, with its width, where the landscape is that of a linear model",
        "networks; subspaces that are burnt in or follow a trajectory",
    ),
    "candes_sur_2020": (
        "when the labels of a teacher, here as noisy as what a subspace lacks, can be separated",
        "logistic labels with an intercept, the maximum of the likelihood itself",
    ),
    "cover_1965": (
        "the number of separable labels, with and without an offset, exact at any size",
        "curved surfaces",
    ),
    "belkin_2020": (
        "the error of least squares on some of the features, exact at any size, with double descent in their number",
        "features in an order of their own, Fourier features",
    ),
    "doimo_2022": (
        "clones of a wide student, their number over time, what they average of noise, and merging them",
        "deep convolutional networks on images",
    ),
    "lu_2024": (
        "errors on trained and new tasks over prompts, contexts and tasks, double descent, here with any ridge",
        "attention with a column of squared labels, softmax, training dynamics",
    ),
    "raventos_2023": (
        "who learns the tasks by heart and who the rule, over task diversity, between both Bayesian references",
        "transformers, whose transition is sharper",
    ),
    "garg_2022": (
        "regression in context, against what Bayes makes of it",
        "transformers, sparse functions, trees and networks",
    ),
    "chan_2022": (
        "bursts, many classes, Zipf's law and dynamic labels as what favours context or weights, in a minimal model",
        "transformers on images, within-class variation",
    ),
    "reddy_2024": (
        "abrupt acquisition of a product of two weights, by bursts and numbers of classes",
        "attention with an induction head, noisy exemplars",
    ),
    "nguyen_reddy_2025": (
        "the race of memorisation and acquisition, its time over numbers of classes, transience",
        "one-layer transformers, whose times grow by another power of the number of classes",
    ),
    "arora_2023": (
        "error, sparse double descent and calibration of pruned linear students over density and label noise",
        "deep networks; what the complexity of the data does to winning tickets",
    ),
    "frankle_carbin_2019": (
        "magnitude pruning in one shot and in rounds, and whether the teacher's weights are found; of online "
        "learning in one shot, with the original start or a later one",
        "several rounds of rewinding in theory; deep networks",
    ),
    "yildirim_2023": (
        "two tasks with fixed masks on shared weights: forgetting by overlap, what isolation costs, by theory too",
        "masks that grow and shrink while a task is learned, many tasks, images",
    ),
    "frankle_2019": (
        "rewinding to any time of online learning before magnitude pruning, one round, by theory too",
        "several rounds in theory, fixed training sets, deep networks and their stability to noise",
    ),
    "liu_2022": (
        "random masks of any density, units of their own or in common: what density and width leave of the error",
        "densities layer by layer, robustness, deep networks",
    ),
    "li_talwalkar_2020": (
        "what the best of m random choices of coordinates keeps, by theory and by search",
        "architectures other than masks, weight sharing",
    ),
    "he_2022": (
        "the peak of the error where as many weights are left as there are examples",
        "deep networks and real images",
    ),
    "sorscher_2022": (
        "learning curves of hard, easy and random examples by probes of any quality, largest margin and other risks",
        "deep networks, measures of difficulty without labels for images",
    ),
    "paul_2021": (
        "selection by a probe from early in training, of fields in place of scores",
        "scores EL2N and GraNd of deep networks",
    ),
    "mobahi_2020": (
        "rounds of ridge regression on answers of their own, as filters of the spectrum",
        "kernels; deep networks",
    ),
    "sarnthein_2023": (
        "linear students of a random teacher, probed on labels: better early than their teacher",
        "nonlinear nets, in which a start close to the teacher is better; images, lottery tickets, loss landscapes",
    ),
    "das_2023": (
        "the mixing of least error, beyond 1 where labels are noisy; isotropic inputs",
        "inputs of any covariance, where it may beat the best ridge; classification",
    ),
    "xu_2024": (
        "training labels by heart after a step, test accuracy that rises late, with and without flipped labels",
        "bounds with high probability",
    ),
    "chowers_2023": (
        "energies of the first layer of a linear convolutional net over training, from the spectrum of its data",
        "nonlinear networks and natural images",
    ),
    "lewandowski_2025": (
        "regularisation to the spectrum at the start, here to 1, in linear nets, beside L2 and none, over tasks",
        "power iteration on the largest singular value alone, images, reinforcement learning",
    ),
    "lyle_2023": (
        "times to fit new targets after others, as directions of a linear net",
        "curvature of losses, activations, reinforcement learning",
    ),
    "kumar_2025": (
        "L2 towards the weights at the start, in linear nets",
        "images, streams of data",
    ),
    "liu_2024": (
        "cosines of tangent kernels by effective rank, random and aligned teachers, in closed form and by networks",
        "recurrent and nonlinear networks, spectra of real connectomes",
    ),
    "braun_2022": (
        "the exact solution from balanced starts, any ranks; kernels over time",
        "continual and reversal learning, revision of what is known",
    ),
    "domine_2025": (
        "the exact solution from any λ-balanced start, networks rich and lazy by λ",
        "what of it is proved of rates and fine-tuning",
    ),
    "kumar_2024": (
        "training and test error over time by scale and alignment, the lazy limit, the whole population",
        "averages over data at fixed load (here over sets of data), modular arithmetic, images, transformers",
    ),
    "levi_2024": (
        "errors and accuracies of a linear student over time, the delay at small thresholds, label noise",
        "weight decay, two layers, correlated inputs, classification",
    ),
    "saxe_2014": (
        "strengths of directions of balanced deep linear nets over time, at any depth; with layers removed, or guided",
        "orthogonal starts at large depth, nonlinear nets; starts off balance are another matter",
    ),
    "poole_2016": (
        "lengths and correlations over depth, fixed points",
        "curvature and length of curves",
    ),
    "schoenholz_2017": (
        "edge of chaos, depth scales of lengths and correlations, finite nets on them",
        "dropout, trained nets over depth",
    ),
    "jacot_2018": (
        "the NTK over depth, of finite nets too, and nets trained by it",
        "convergence of classifiers",
    ),
    "nait_saada_2023": (
        "orthogonal, low-rank and sparse weights on one recursion, and where they differ at order 1/n",
        "convolutional layers",
    ),
    "roberts_2022": (
        "first order in 1/n of kernels of one and two inputs, for orthogonal, low-rank and sparse weights too",
        "finite-width corrections of the NTK, training at order 1/n",
    ),
    "lee_2019": (
        "mean and variance of trained wide nets over steps, and trained nets beside them",
        "convolutional and residual nets, images",
    ),
    "lee_2022_student": (
        "Student-t posteriors of last layers with a variance of inverse gamma law, evidence",
        "other mixtures, learned ones, classification",
    ),
    "radhakrishnan_2023": (
        "majority, nearest neighbour and singular kernels by activation, nets of any depth, consistency on spheres",
        "other inputs than spheres",
    ),
    "devroye_1998": (
        "errors of singular kernels on spheres at every number of examples",
        "regression, other laws of inputs",
    ),
    "rende_finetuning_2024": (
        "all trained at the critical field, then the output layer alone at others, with random features beside it",
        "vision transformers, two dimensions, the paper's own numbers",
    ),
    "carleo_troyer_2017": (
        "a network's amplitudes of Ising and Heisenberg chains, by sampling or by sums, translations built in",
        "two dimensions, complex weights, dynamics in time",
    ),
    "sorella_1998": (
        "stochastic reconfiguration of all parameters, or of some, by parameters or by samples, with bounded steps",
        "Green function Monte Carlo",
    ),
}
