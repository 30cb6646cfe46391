"""``tsphys bench``: the references simulate what tsphys simulates, and the command tells what it measured."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import command
from tsphys.benchmarks import inference, naive_numba, ode, plain_numpy, timing
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import ratio, read, row, text, write
from tsphys.errors import ConvergenceError, ModelError
from tsphys.rules import two_layer
from tsphys.rules.starts import drawn_start

SMALL = ("-K", "2", "-M", "1", "-N", "20", "--seconds", "0.01", "--rounds", "2", "-j", "2")


def call(capsys, *arguments):
    return command.call(capsys, "bench", *arguments)


@pytest.mark.parametrize("step", [plain_numpy.step, naive_numba.step])
def test_references_take_the_step_of_the_rule(step):
    setting = Setting(K=3, M=2, N=50)
    W, B, v, v_star = setting.weights()
    v *= (1.0, 0.7, -0.4)
    rng = np.random.default_rng(5)
    x, zeta = rng.standard_normal(50), 0.1 * rng.standard_normal()
    rule = setting.model.learning_rule()
    c, dv = np.zeros(3), np.zeros(3)
    noise = np.array([zeta / setting.noise])
    root = np.sqrt(50)
    two_layer.rule(W @ x / root, B @ x / root, v, v_star, noise, rule.seen_params(), c, dv)
    expected = W + np.outer(c, x) / root
    step(W, B, v, v_star, x, zeta, setting.lr)
    # Rounding of a few sums of 50 terms.
    np.testing.assert_allclose(W, expected, rtol=1e-12, atol=1e-13)


def test_right_hand_side_of_the_reference_is_that_of_the_simulated_step():
    """dC/dt against the mean over examples of the change of the overlaps, N = ∞, by Monte Carlo."""
    setting = Setting(K=2, M=1)
    begin = drawn_start(setting.model, 50, 3, 0)
    begin_C = np.block([[4 * begin.Q, 2 * begin.R], [2 * begin.R.T, begin.T]])
    a, dC = np.array([1.0, 1.0, -1.0]), np.empty((3, 3))
    ode.rates(begin_C, a, 2, setting.lr, setting.noise**2, dC)
    from scipy.special import erf

    rng = np.random.default_rng(4)
    n = 4_000_000
    fields = np.linalg.cholesky(begin_C) @ rng.standard_normal((3, n))
    delta = a @ erf(fields / np.sqrt(2)) - setting.noise * rng.standard_normal(n)
    c = -setting.lr * np.sqrt(2 / np.pi) * np.exp(-(fields[:2] ** 2) / 2) * delta
    for k in range(2):
        for l in range(3):
            change = c[k] * fields[l] + ((c[l] * fields[k] + c[k] * c[l]) if l < 2 else 0.0)
            # Five standard errors: one in 3e5 for each of the six.
            assert abs(change.mean() - dC[k, l]) < 5 * change.std() / np.sqrt(n)


def test_parts_of_a_reconstruction_are_each_timed_in_every_round():
    spent = inference.from_nothing(13, 200, 2)
    assert list(spent) == ["eigenvectors", "components of them", "message passing"]
    assert all(len(times) == 2 and min(times) >= 0 for times in spent.values())


def test_fixed_steps_converge_at_their_order_to_the_solution():
    setting = Setting(K=2, M=1)
    begin, C, a = ode.start(setting)
    exact = ode.solution(setting, begin, 1e-12)
    for fourth, steps, order in ((False, (1 / 32, 1 / 64), 1), (True, (1.0, 0.5), 4)):
        coarse, fine = (np.max(abs(ode.by_steps(setting, C, a, fourth, dt) / exact - 1)) for dt in steps)
        # The next order of the error is dt times the leading one, with a factor of order one.
        assert np.log2(coarse / fine) == pytest.approx(order, abs=0.5)


def test_coarsest_wants_two_in_a_row():
    errors = {1.0: 0.5, 0.5: 0.0, 0.25: 0.1, 0.125: 0.001, 0.0625: 0.0001}
    assert ode.coarsest(lambda dt: np.array([1 + errors[dt]]), list(errors), np.ones(1), 0.01) == 0.125
    with pytest.raises(ConvergenceError):
        ode.coarsest(lambda dt: np.array([np.nan]), list(errors), np.ones(1), 0.01)


def test_a_step_is_timed_without_the_start_of_a_program():
    now = [0.0]

    def program(steps):
        now[0] += 0.02 + 0.001 * steps

    both = {"program": program, "plain": program}
    times = timing.interleaved(both, 0.1, 2, 40, ["program"], clock=lambda: now[0])
    # They differ by the start-up, 0.02 s over 40 steps, up to the rounding of the clock.
    np.testing.assert_allclose(times["plain"], 0.0015, rtol=1e-12)
    np.testing.assert_allclose(times["program"], 0.001, rtol=1e-12)


def test_potts_loop_has_the_law_of_the_sampler():
    """Mean energy of the reference and of tsphys, over chains of their own."""
    from tsphys.benchmarks import potts as bench
    from tsphys.models.potts_attention import PottsAttention
    from tsphys.sims.engines.potts import sampler as potts

    model = PottsAttention(C=3, beta=2.0)
    J, U = model.draw(6, 0, 0), model.colour_matrix()
    rng = np.random.default_rng(0)
    H = []
    for step in (bench.numpy_visit, None):
        values = []
        for index in range(300):
            s = rng.integers(0, 3, 6)
            if step is None:
                chain = bench.chain(potts.couplings(J, U), index)
                chain.run(1, 10)
                s = chain.s
            else:
                for _ in range(60):
                    step(J, U, s, rng)
            values.append(-0.5 * np.sum(J * U[np.ix_(s, s)]))
        H.append(np.array(values))
    gap = abs(H[0].mean() - H[1].mean()) / np.hypot(H[0].std(), H[1].std()) * np.sqrt(300)
    # Four standard errors: one in 16000.
    assert gap < 4


def test_loop_over_spin_chains_has_the_law():
    """Frequencies of all configurations of four spins; that of tsphys is held to it with the model."""
    from tsphys.benchmarks.quantum import plain_numpy
    from tsphys.sims.engines.quantum.reconfiguration import Chain, Network, Walkers

    network, chain, n = Network(4, 2, 2), Chain(4, (-1.0, 0.0), (0,), (-1.0,)), 4000
    theta, s = 3 * network.drawn(np.random.default_rng(3)), np.ones((n, 4))
    plain_numpy(network, theta, s)(25)
    every = Walkers(chain, network, chain.all_states(), None)
    p = every.see(theta, derivatives=False)[0]
    code = 2 ** np.arange(4)
    seen = np.bincount((s > 0) @ code, minlength=16)[(every.S > 0) @ code] / n
    assert np.abs((seen - p) / np.sqrt(p * (1 - p) / n)).max() < 4.5


def test_rows_are_medians_with_their_range(tmp_path):
    rows = [row("a section", "time", [3.0, 1.0, 2.0], "s"), ratio("other", "gain", np.array([2.0, 9.0]), np.ones(2))]
    assert (rows[0].value, rows[0].low, rows[0].high) == (2.0, 1.0, 3.0)
    assert (rows[1].value, rows[1].unit) == (5.5, "x")
    shown = text(rows)
    assert shown.splitlines()[0] == "a section"
    assert "5.5 x" in shown
    for suffix in (".csv", ".md", ".npz"):
        write(tmp_path / f"t{suffix}", rows, {"K": 2})
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert json.loads(lines[0][2:])["benchmark"] == {"K": 2}
    assert lines[2].startswith("a section,time,2.0,1.0,3.0,s")
    assert "| a section | time | 2 s |" in (tmp_path / "t.md").read_text()
    kept = np.load(tmp_path / "t.npz")
    assert kept["value"].tolist() == [2.0, 5.5]
    with pytest.raises(ModelError, match="output"):
        write(tmp_path / "t.txt", rows, {})


def test_an_earlier_run_stands_beside(tmp_path):
    old = [row("time", "step", [1.0, 2.0, 3.0], "s"), row("time", "gone", [1.0], "s"), row("time", "other", [4.0], "s")]
    write(tmp_path / "old.json", old, {"K": 2})
    before = read(tmp_path / "old.json")
    assert before["time", "step"] == old[0]
    new = [row("time", "step", [4.0, 5.0, 6.0], "s"), row("time", "other", [3.0], "s"), row("time", "new", [1.0], "s")]
    lines = text(new, before).splitlines()
    assert [line.split("was ")[-1] if "was" in line else "" for line in lines[1:]] == ["2 up", "4 down", ""]
    for damaged in ("", "[]", '{"rows": [{"name": 1}]}', '{"rows": [1]}'):
        (tmp_path / "old.json").write_text(damaged)
        with pytest.raises(ModelError, match="against"):
            read(tmp_path / "old.json")


def test_command_prints_ratios_and_keeps_them(capsys, tmp_path):
    counter = f'"{sys.executable}" -c "print({{N}}, {{steps}})"'
    out = str(tmp_path / "bench.csv")
    sections = [word for name in ("engines", "threads", "sizes", "replicas") for word in ("--only", name)]
    code, shown, _ = call(capsys, *SMALL, "--steps", "5", *sections, "--external", counter, "-o", out)
    assert code == 0
    for words in (
        "time of a step, K = 2, M = 1, N = 20",
        "plain NumPy", "naive Numba", "direct float32", "limit", "direct than plain NumPy", "exact than naive Numba",
        "direct / limit", "exact, 8 side by side / draws", "direct, 2 threads", "N = 1e+09",
        "CPU time of a replica", "one step",
    ):  # fmt: skip
        assert words in shown, words
    assert len(Path(out).read_text().splitlines()) > 20
    code, _, err = call(capsys, *SMALL, "--only", "sizes", "-o", out)
    assert code == 2
    assert "--force" in err


def test_one_core_has_no_threads_to_compare(capsys):
    code, out, err = call(capsys, *SMALL, "--only", "threads", "-j", "1")
    assert (code, err) == (0, "")
    assert "threads: nothing to compare on one thread" in out


def test_wrong_input_is_refused_in_a_line(capsys, tmp_path):
    for arguments, word in (
        (("--only", "everything"), "only"),
        (("-N", "3"), "N"),
        (("--seconds", "0"), "seconds"),
        (("-o", str(tmp_path / "x.txt")), "output"),
        (("--against", str(tmp_path / "x.json")), "against"),
        ((*SMALL, "--only", "engines", "--steps", "1", "--external", "exit 3"), "external"),
    ):
        code, _, err = call(capsys, *arguments)
        assert code == 2
        assert err.startswith(f"tsphys: error: {word} = ")
        assert err.count("\n") == 1


def test_a_program_that_does_nothing_is_a_line():
    with pytest.raises(ModelError, match="must take some time"):
        timing.steps_for(lambda steps: None, 0.1, start_up=1.0)
