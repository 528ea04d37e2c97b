"""The multi-lesion model in JAX with diffrax, for ``benchmarks/engine.py --diffrax``; needs its own environment.

Reads the arrays that the benchmark wrote and prints one JSON line: patients per CPU second, compilation left out.
"""

import json
import sys
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
LESIONS = 4
PD1_MG, CTLA4_MG, FIELD = 8, 9, 12


def main() -> None:
    data = np.load(sys.argv[1])
    index = {str(name): i for i, name in enumerate(data["names"])}
    stop, table = jnp.asarray(data["stop"]), jnp.asarray(data["table"])
    floors, chi_row = jnp.asarray(data["floors"]), int(data["chi"])
    parameters, start = jnp.asarray(data["parameters"].T), jnp.asarray(data["start"].T)

    def patient(p, y0):
        q = {name: p[i] for name, i in index.items()}
        chi = p[chi_row : chi_row + LESIONS]
        rates = jnp.array([q["pd1_alpha"], q["pd1_beta"], q["ctla4_alpha"], q["ctla4_beta"]])
        unit = jnp.array([q["pd1_a"], q["pd1_b"], q["ctla4_a"], q["ctla4_b"]])

        def rhs(t, y, amounts):
            c = amounts * jnp.exp(-rates * t)
            ro1 = (c[0] + c[1]) / (c[0] + c[1] + q["KD1"])
            ro4 = (c[2] + c[3]) / (c[2] + c[3] + q["KD4"])
            H, C, M, A, N = y[:5]
            S, R, D, E, X, L, G, F = y[5:].reshape(LESIONS, 8).T
            V = S + R
            release = q["aRT"] * q["kc"] * F**4 / (q["KF"] ** 4 + F**4) * D / (1 + D / q["VRT"])
            inflow = q["kin"] * C / (1 + jnp.sum(chi * V) / q["Vsink"])
            kill = q["kappa"] * E / (1 + q["rhoPD"] * L * (1 - ro1)) / (1 + G)
            growth = q["r"] * (1 - V / q["Kmax"])
            ex = q["kex"] * V / (V + q["half_ex"]) * (1 - q["ex_relief"] * ro1)
            rev = q["krev"] * ro1
            priming = q["p"] * N * (1 + q["sig4"] * ro4) + q["pM"] * M
            systemic = jnp.stack(
                [
                    jnp.sum(q["a0"] * V / (V + q["VA"]) + release) - q["kH"] * H,
                    A * H / (q["Hh"] + H) * priming - q["kC"] * C,
                    q["eps"] * C - q["kM"] * M,
                    q["kA"] * (1 - A),
                    q["kN"] * (1 - N),
                ]
            )
            lesions = jnp.stack(
                [
                    (growth - q["mu"] - kill) * S,
                    growth * R + q["mu"] * S - (1 - q["rR"]) * kill * R,
                    -q["kc"] * D,
                    chi * inflow - (q["dE"] + ex) * E + rev * X,
                    ex * E - (q["dX"] + rev) * X,
                    q["kL"] * (q["L0"] + (1 - q["L0"]) * E / (E + q["KL"]) - L),
                    q["kG"] * (q["G0"] * (1 + q["gV"] * V / (V + q["VG"])) * (1 - q["del4"] * ro4) - G),
                    -q["kF"] * F,
                ],
                axis=1,
            )
            return jnp.concatenate([systemic, lesions.ravel()])

        def event(y, row):
            y = y.at[3].multiply(1 - q["lamA"] * row[FIELD])
            dose = row[:LESIONS]
            within = jnp.minimum(dose, 2 * q["alpha"] / q["beta"])
            survive = jnp.exp(-q["alpha"] * within - q["beta"] * within**2 - 5 * q["alpha"] * (dose - within))
            cells = jnp.maximum(jnp.exp(-q["aL"] * dose - q["bL"] * dose**2), 0.01)
            z = y[5:].reshape(LESIONS, 8)
            killed = (1 - survive) * (z[:, 0] + z[:, 1])
            add = dose**2 / (q["d50"] ** 2 + dose**2) * (1 - q["trex"] * dose**8 / (q["dT"] ** 8 + dose**8))
            z = z.at[:, 0].multiply(survive).at[:, 1].multiply(survive).at[:, 2].add(killed)
            z = z.at[:, 3].multiply(cells).at[:, 4].multiply(cells).at[:, 7].add(add)
            return jnp.concatenate([y[:5], z.ravel()])

        def segment(carry, k):
            y, amounts = carry
            y = event(y, table[k])
            amounts = amounts + unit * jnp.repeat(table[k][jnp.array([PD1_MG, CTLA4_MG])], 2)
            length = stop[k + 1] - stop[k]
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(rhs), diffrax.Tsit5(), 0.0, length, jnp.minimum(0.05, length / 2), y, args=amounts,
                stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-6 * floors),
                saveat=diffrax.SaveAt(t1=True), max_steps=4096, adjoint=diffrax.DirectAdjoint(),
            )  # fmt: skip
            y = solution.ys[0]
            z = y[5:].reshape(LESIONS, 8)
            alive = (z[:, 0] + z[:, 1] >= q["V_ext"])[:, None]
            z = z.at[:, :2].set(jnp.where(alive, z[:, :2], 0.0))
            y = jnp.concatenate([y[:5], z.ravel()])
            return (y, amounts * jnp.exp(-rates * length)), y

        (_, _), states = jax.lax.scan(segment, (y0, jnp.zeros(4)), jnp.arange(stop.size - 1))
        return states

    run = jax.jit(jax.vmap(patient))
    run(parameters, start).block_until_ready()
    begin = time.process_time()
    run(parameters, start).block_until_ready()
    spent = time.process_time() - begin
    print(json.dumps({"patients_per_cpu_second": start.shape[0] / spent}))


if __name__ == "__main__":
    main()
