"""How names are written in formulas: those of observables, parameters and axes, for labels of pictures."""

from __future__ import annotations

from tsphys.ground.lines import printable

#: Name -> words before the symbol, and the symbol in TeX.
SYMBOLS: dict[str, tuple[str, str]] = {
    # Time and sizes.
    "t": ("time", "t"),
    "N": ("size", "N"),
    "P": ("", "P"),
    "M": ("", "M"),
    "K": ("", "K"),
    "n": ("examples", "n"),
    "k": ("random features", "k"),
    # Order parameters.
    "R": ("", "R"),
    "Q": ("", "Q"),
    "T": ("", "T"),
    "v": ("", "v"),
    "v_star": ("", "v^*"),
    "m": ("overlap", "m"),
    "q": ("", "q"),
    "r": ("", "r"),
    "p0": ("", "p_0"),
    "p1": ("", "p_1"),
    "m_max": ("largest overlap", r"m_{\max}"),
    "Sigma": ("", r"\Sigma"),
    "W": ("", "W"),
    "V": ("", "V"),
    # Errors.
    "eps_g": ("generalisation error", r"\epsilon_g"),
    "eps_test": ("test error", r"\epsilon_{\mathrm{test}}"),
    "eps_target": ("error on the target", r"\epsilon_{\mathrm{target}}"),
    "eps_held": ("error on examples held out", r"\epsilon_{\mathrm{held}}"),
    "mse": ("mean squared error", ""),
    "mse_pca": ("mean squared error of PCA", ""),
    "overlap_pca": ("overlap of PCA", ""),
    "train_loss": ("training loss", ""),
    "test_loss": ("test loss", ""),
    "excess": ("excess loss", ""),
    "accuracy": ("accuracy", ""),
    # Thermodynamics.
    "energy": ("energy", "e"),
    "entropy": ("entropy", "s"),
    "free_energy": ("free energy", "f"),
    "free_entropy": ("free entropy", r"\phi"),
    # Lines of phase diagrams.
    "alpha_M": ("retrieval ends,", r"\alpha_M"),
    "alpha_c": ("retrieval is the ground state,", r"\alpha_c"),
    "informed": ("an informed state exists", ""),
    "transition": ("equilibrium", ""),
    "algorithmic": ("message passing", ""),
    # Parameters that are axes.
    "alpha": ("load", r"\alpha"),
    "beta": ("", r"\beta"),
    "lr": ("learning rate", r"\eta"),
    "lr_v": ("learning rate of the readout", r"\eta_v"),
    "noise": ("noise", r"\sigma"),
    "weight_decay": ("weight decay", ""),
    "minibatch": ("batch size", "b"),
    "ridge": ("ridge", r"\lambda"),
    "regularization": ("regularisation", r"\lambda"),
    "kappa": ("", r"\kappa"),
    "gamma": ("", r"\gamma"),
    "rho": ("", r"\rho"),
    "density": ("density", r"\rho"),
    "delta": ("", r"\delta"),
    "width": ("features per input", "p/N"),
    "action": ("action", "a"),
    "action_square": ("", "a^2"),
    "cost": ("cost", ""),
    "distance": ("distance", ""),
    "margin": ("margin", r"\kappa"),
}
#: The same name means something else where it is an axis or a parameter.
AS_AXIS = {
    "T": ("temperature", "T"),
    "M": ("examples per pattern", "M"),
    "m": ("", "m"),
    "r": ("quality of the examples", "r"),
    "kappa": ("", r"\kappa"),
}


def escaped(text: object) -> str:
    """A text as it stands, not as a formula or a label that is left out of legends."""
    return printable(text)[:80].replace("$", r"\$").lstrip("_")


def symbol(name: str, index: tuple[int, ...] = ()) -> str:
    """A name as a formula with the indices of an entry, counted from 1: ``$R_{12}$``; the plain name if it has none."""
    tex = SYMBOLS.get(name, ("", ""))[1]
    at = ("" if max(index, default=0) < 9 else ",").join(str(i + 1) for i in index)
    if not tex:
        return escaped(name) + (f" {at}" if at else "")
    if not at:
        return f"${tex}$"
    if "_" in tex:
        return rf"$({tex})_{{{at}}}$"
    return f"${tex}_{{{at}}}$"


def words(name: str, *, axis: bool = False) -> str:
    """What stands at an axis of a picture: ``generalisation error $\\epsilon_g$``."""
    kind, _, rest = name.partition("_")
    if kind in ("simulation", "theory") and rest in SYMBOLS:
        return f"{words(rest, axis=axis)}, {kind}"
    say, tex = (AS_AXIS.get(name) if axis else None) or SYMBOLS.get(name, ("", ""))
    if not say and not tex:
        return escaped(name).replace("_", " ")
    return f"{say} ${tex}$".strip() if tex else say
