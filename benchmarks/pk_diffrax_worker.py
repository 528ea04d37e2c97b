"""The diffrax side of benchmarks/pk.py; runs in an environment of its own, one solve per line of input."""

import json
import sys
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

loaded = np.load(sys.argv[1])
table, t50, hill = jnp.asarray(loaded["table"]), float(loaded["t50"]), float(loaded["hill"])
count, interval, amount, infusion = loaded["schedule"].tolist()
half = t50**hill
starts = interval * jnp.arange(int(count))
CONTROL = diffrax.PIDController(rtol=1e-8, atol=1e-8)


def slope(t, y, args):
    (cl, vc, q, vp, emax), rate = args
    age = jnp.maximum(t, 1e-12) ** hill
    out = cl * jnp.exp(emax * age / (half + age)) * y[0] / vc
    exchange = q * (y[0] / vc - y[1] / vp)
    return jnp.stack([rate - out - exchange, exchange])


def solve(begin, end, y, args, saved):
    return diffrax.diffeqsolve(
        diffrax.ODETerm(slope), diffrax.Tsit5(), begin, end, None, y, args, saveat=saved, stepsize_controller=CONTROL,
        max_steps=4096,
    )  # fmt: skip


def one(patient):
    def cycle(y, start):
        during = solve(start, start + infusion, y, (patient, amount / infusion), diffrax.SaveAt(t1=True)).ys[0]
        days = start + jnp.arange(1.0, interval + 1.0)
        after = solve(start + infusion, start + interval, during, (patient, 0.0), diffrax.SaveAt(ts=days)).ys
        return after[-1], after[:, 0] / patient[1]

    _, found = jax.lax.scan(cycle, jnp.zeros(2), starts)
    return jnp.concatenate([jnp.zeros(1), found.reshape(-1)])


run = jax.jit(jax.vmap(lambda column: one(tuple(column)), in_axes=1))
for _ in sys.stdin:
    begin = time.process_time()
    concentrations = run(table).block_until_ready()
    spent = time.process_time() - begin
    np.save(sys.argv[2], np.asarray(concentrations))
    print(json.dumps({"cpu_seconds": spent}), flush=True)
