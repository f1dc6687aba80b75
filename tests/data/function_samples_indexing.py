"""Indexing, sorting and products. Part of make_function_samples.py."""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from function_sampling import floats, integers, sample, samples


def clamped_take(x, i, axis):
    return jnp.take(x, jnp.clip(i, 0, x.shape[axis] - 1), axis)


for axis in (0, 1, -1):
    sample("take", lambda x, i: clamped_take(x, i, axis), [floats(3, 4), integers(5, low=-1)],
           {"axis": axis})
    sample("take", lambda x, i: clamped_take(x, i, axis),
           [floats(3, 4), integers(2, 2, dtype="i64", low=0, high=3)], {"axis": axis})
sample("take", lambda x, i: clamped_take(x, i, 0), [floats(3, 4), np.int32(2)])
sample("embedding_lookup", lambda x, i: clamped_take(x, i, 0),
       [floats(5, 3), integers(2, 4, dtype="u8", low=0, high=5)])
for axis in (0, 1, -1):
    sample("take_along_axis", lambda x, i: jnp.take_along_axis(x, i, axis),
           [floats(3, 3), integers(3, 3, low=0, high=3)], {"axis": axis},
           numpy=lambda x, i: np.take_along_axis(x, i, axis))
sample("take_along_axis", lambda x, i: jnp.take_along_axis(x, i, 1),
       [floats(2, 5), integers(2, 3, low=0, high=5)], {"axis": 1})
sample("gather_nd", lambda x, i: x[i[..., 0], i[..., 1]],
       [floats(3, 4), integers(5, 2, low=0, high=3)])
sample("gather_nd", lambda x, i: x[i[..., 0]], [floats(3, 2), integers(2, 2, 1, low=0, high=3)])
for name, method in (("scatter_set", "set"), ("scatter_add", "add"), ("scatter_min", "min"),
                     ("scatter_max", "max")):
    i = np.array([3, 0, 2], np.int32) if name == "scatter_set" else np.array([1, 3, 1], np.int32)
    sample(name, lambda x, i, u: getattr(x.at[i], method)(u), [floats(4, 2), i, floats(3, 2)])
    sample(name, lambda x, i, u: getattr(x.at[:, i], method)(u), [floats(2, 4), i, floats(2, 3)],
           {"axis": 1})
sample("scatter_add", lambda x, i, u: x.at[i].add(u), [floats(3), np.array([[0, 2], [2, 1]]),
                                                       floats(2, 2)])
x, u = floats(3), floats(3)  # indices out of range are dropped
expected = x.copy()
expected[1] += u[1]
sample("scatter_add", None, [x, np.array([-1, 1, 3], np.int32), u], outputs=[expected])
sample("segment_sum", lambda x, i: jax.ops.segment_sum(x, i, 4),
       [floats(5, 2), np.array([0, 3, 0, 1, 3], np.int32)], {"segments": 4})
i = np.array([[0, 2], [1, 5]], np.int32)
sample("one_hot", lambda i: jax.nn.one_hot(i, 3, dtype=jnp.float32), [i], {"depth": 3})
sample("one_hot", lambda i: jax.nn.one_hot(i, 3, dtype=jnp.int32, axis=0), [i],
       {"depth": 3, "dtype": "i32", "axis": 0})
for axis, descending in ((-1, False), (0, True), (1, True)):
    def order(x):
        return jnp.flip(jnp.sort(x, axis), axis) if descending else jnp.sort(x, axis)
    sample("sort", order, [floats(3, 4)], {"axis": axis, "descending": descending})
    x = np.round(floats(3, 4))
    found = np.argsort(-x if descending else x, axis, kind="stable").astype(np.int32)
    sample("argsort", None, [x], {"axis": axis, "descending": descending}, outputs=[found])
sample("sort", None, [np.array([3, 1, 2], np.int8)], outputs=[np.array([1, 2, 3], np.int8)])
sample("top_k", lambda x: lax.top_k(x, 2), [floats(3, 5)], {"k": 2})
samples[-1]["outputs"][1]["type"] = "i32"
x = np.array([[1.0, 3, 3, 2]]).T
sample("top_k", None, [x], {"k": 2, "axis": 0},
       outputs=[np.array([[3.0], [3]]), np.array([[1], [2]], np.int32)])
edges = np.array([-1.0, 0, 0, 2.5])
sample("searchsorted", None, [edges, np.array([[-2.0, 0, 1], [2.5, 9, -1]])],
       outputs=[np.searchsorted(edges, [[-2.0, 0, 1], [2.5, 9, -1]]).astype(np.int32)])

# Products --------------------------------------------------------------------------------------

for a, b in (((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((5, 2, 3), (3, 4)),
             ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((3,), (2, 3, 4)),
             ((2, 4, 3), (3,))):
    sample("matmul", jnp.matmul, [floats(*a), floats(*b)], numpy=np.matmul)
sample("matmul", jnp.matmul, [integers(2, 3), integers(3, 2)], numpy=np.matmul)
sample("matmul", jnp.matmul, [integers(2, 3), floats(3, 2)], numpy=np.matmul)
sample("dot", jnp.dot, [floats(4), floats(4)], numpy=np.dot)
sample("outer", jnp.outer, [floats(2), floats(3)], numpy=np.outer)
for axes in (0, 1, 2):
    shapes = {0: ((2,), (3, 2)), 1: ((2, 3), (3, 2)), 2: ((2, 3, 4), (3, 4, 2))}[axes]
    sample("tensordot", lambda x, y: jnp.tensordot(x, y, axes), [floats(*s) for s in shapes],
           {"axes": axes}, numpy=lambda x, y: np.tensordot(x, y, axes))
EQUATIONS = {"ij,jk->ik": ((2, 3), (3, 4)), "ij,jk": ((2, 3), (3, 4)), "ij,jk->ki": ((2, 3), (3, 4)),
             "bij,bjk->bik": ((2, 3, 2), (2, 2, 3)), "bij->bji": ((2, 3, 4),), "ii->i": ((3, 3),),
             "ii": ((3, 3),), "ij->": ((2, 3),), "ij->j": ((2, 3),), "ba": ((2, 3),),
             "i,j->ij": ((2,), (3,)), "i,i->": ((4,), (4,)), "i,i->i": ((4,), (4,)),
             "ij,ij->i": ((2, 3), (2, 3)), "ij,kj->ik": ((2, 3), (4, 3)),
             "bhqd,bhkd->bhqk": ((1, 2, 3, 2), (1, 2, 4, 2)), "ijk,k->ji": ((2, 3, 4), (4,)),
             "ij,j->i": ((2, 3), (3,)), "iij,j->i": ((2, 2, 3), (3,)), "ij,kl->il": ((2, 3), (2, 4)),
             "abc,cd->abd": ((2, 2, 3), (3, 2)), "i j , j k -> i k": ((2, 3), (3, 2)),
             ",i->i": ((), (3,)), "Aa,aB->AB": ((2, 3), (3, 2)), "ijij->ij": ((2, 3, 2, 3),)}
for equation, shapes in EQUATIONS.items():
    sample("einsum", lambda *x: jnp.einsum(equation, *x), [floats(*s) for s in shapes],
           {"equation": equation}, numpy=lambda *x: np.einsum(equation, *x))
