"""Eight float64 side by side as one number of a kernel: what it does to a number, it does to eight of them at once.

An array (…, 8) of float64 becomes an array (…) of such numbers by `side_by_side`; a kernel of sums, products, quotients
and roots, which does not branch on its numbers, then runs on it as it is. Each lane has the bits that a kernel on plain
numbers has, as long as neither may reorder its sums. An array (…, 8) of uint64 becomes one of words of 512 bits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.config import DISABLE_JIT  # type: ignore[attr-defined]
from numba.core.typeconv import Conversion
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model

#: Numbers side by side: two registers of AVX2, one of AVX-512.
WIDTH = 8

#: 1.0 in float64.
_BITS_OF_ONE = 0x3FF0000000000000

_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_WORDS = ir.VectorType(ir.IntType(64), WIDTH)
_FLAGS = ir.VectorType(ir.IntType(1), WIDTH)


class _Lanes(types.Type):
    """Eight numbers; a single one is as many equal ones where it meets them."""

    def can_convert_from(self, typingctx: Any, other: Any) -> Any:
        return Conversion.safe if isinstance(other, types.Float) else None

    def unify(self, typingctx: Any, other: Any) -> Any:
        return self if isinstance(other, types.Float) else None


class _Flags(types.Type):
    """Eight truths, likewise."""

    def can_convert_from(self, typingctx: Any, other: Any) -> Any:
        return Conversion.safe if isinstance(other, types.Boolean) else None

    def unify(self, typingctx: Any, other: Any) -> Any:
        return self if isinstance(other, types.Boolean) else None


class _Words(types.Type):
    """Eight words of 64 bits."""


class _Singles(types.Type):
    """Eight numbers in single precision."""


lanes, flags, words, singles = _Lanes("lanes"), _Flags("flags"), _Words("words"), _Singles("singles")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any):
        super().__init__(dmm, fe_type, _DOUBLES)


@register_model(_Flags)
class _FlagsModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any):
        super().__init__(dmm, fe_type, _FLAGS)


@register_model(_Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any):
        super().__init__(dmm, fe_type, _WORDS)


@register_model(_Singles)
class _SinglesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any):
        super().__init__(dmm, fe_type, _FLOATS)


def _equal(builder: Any, value: Any, kind: Any) -> Any:
    """One value as eight equal ones."""
    nothing, places = ir.Constant(kind, ir.Undefined), ir.VectorType(ir.IntType(32), WIDTH)
    one = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(places, [0] * WIDTH))


@lower_cast(types.Float, _Lanes)
@lower_cast(types.Integer, _Lanes)
def _numbers(context: Any, builder: Any, fromty: Any, toty: Any, value: Any) -> Any:
    return _equal(builder, context.cast(builder, value, fromty, types.float64), _DOUBLES)


@lower_cast(types.Boolean, _Flags)
def _truths(context: Any, builder: Any, fromty: Any, toty: Any, value: Any) -> Any:
    return _equal(builder, builder.trunc(value, ir.IntType(1)) if value.type != ir.IntType(1) else value, _FLAGS)


def _made(build: Callable[..., Any], result: Any, *kinds: Any) -> Any:
    """The function of arguments of these kinds, or of what becomes them, that `build` puts into a kernel."""

    def typed(*given: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return build(builder, *values)

        return result(*kinds), code

    return intrinsic(
        {
            1: lambda typingctx, a: typed(a),
            2: lambda typingctx, a, b: typed(a, b),
            3: lambda typingctx, a, b, c: typed(a, b, c),
        }[len(kinds)]
    )


def _known(build: Callable[..., Any], result: Any, arguments: int, *operations: Any, kind: Any = lanes) -> None:
    """Let kernels do these operations on eight numbers, and on eight and one, as `build` has it."""
    for operation in operations:

        @infer_global(operation)
        class Known(ConcreteTemplate):
            key = operation
            cases: ClassVar[list[Any]] = [result(*[kind] * arguments)]

        @lower_builtin(operation, *[kind] * arguments)
        def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return build(builder, *values)


def _shifted(build: Callable[..., Any], operation: Any) -> None:
    """Let kernels shift eight words, all by as much."""

    @infer_global(operation)
    class Known(ConcreteTemplate):
        key = operation
        cases: ClassVar[list[Any]] = [words(words, types.uint64)]

    @lower_builtin(operation, words, types.uint64)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, values[0], _equal(builder, values[1], _WORDS))


def _called(name: str) -> Callable[..., Any]:
    def build(builder: Any, a: Any) -> Any:
        kind = ir.FunctionType(_DOUBLES, [_DOUBLES])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f64"), [a])

    return build


_known(lambda builder, a, b: builder.fadd(a, b), lanes, 2, operator.add, operator.iadd)
_known(lambda builder, a, b: builder.fsub(a, b), lanes, 2, operator.sub, operator.isub)
_known(lambda builder, a, b: builder.fmul(a, b), lanes, 2, operator.mul, operator.imul)
_known(lambda builder, a, b: builder.fdiv(a, b), lanes, 2, operator.truediv, operator.itruediv)
_known(lambda builder, a, b: builder.fcmp_ordered("<", a, b), flags, 2, operator.lt)
_known(lambda builder, a, b: builder.fcmp_ordered(">", a, b), flags, 2, operator.gt)
_known(lambda builder, a, b: builder.fcmp_ordered("==", a, b), flags, 2, operator.eq)
_known(lambda builder, a: builder.fneg(a), lanes, 1, operator.neg)
_known(_called("sqrt"), lanes, 1, math.sqrt)
_known(_called("fabs"), lanes, 1, abs)
_known(lambda builder, a, b: builder.and_(a, b), words, 2, operator.and_, kind=words)
_known(lambda builder, a, b: builder.or_(a, b), words, 2, operator.or_, kind=words)
_known(lambda builder, a, b: builder.xor(a, b), words, 2, operator.xor, operator.ixor, kind=words)
_known(lambda builder, a, b: builder.add(a, b), words, 2, operator.add, kind=words)
_shifted(lambda builder, a, n: builder.shl(a, n), operator.lshift)
_shifted(lambda builder, a, n: builder.lshr(a, n), operator.rshift)

#: ``where(flags, a, b)``: a where a flag is set, otherwise b.
where = _made(lambda builder, flag, a, b: builder.select(flag, a, b), lanes, flags, lanes, lanes)


def _all(builder: Any, flag: Any) -> Any:
    bits = builder.bitcast(flag, ir.IntType(WIDTH))
    return builder.icmp_unsigned("==", bits, ir.Constant(ir.IntType(WIDTH), 2**WIDTH - 1))


#: Whether all flags are set.
every = _made(_all, types.boolean, flags)


def _scaled(builder: Any, t: Any) -> Any:
    words = builder.bitcast(t, _WORDS)
    return builder.bitcast(builder.shl(words, ir.Constant(_WORDS, [52] * WIDTH)), _DOUBLES)


#: The double whose exponent is in the low bits of another, as in `tsphys.numerics.exponential`.
from_exponent = _made(_scaled, lanes, lanes)


def _population(builder: Any, w: Any) -> Any:
    def called(name: str, result: Any, value: Any) -> Any:
        kind = ir.FunctionType(result, [_WORDS])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [value])

    each = called(f"llvm.ctpop.v{WIDTH}i64", _WORDS, w)
    return called(f"llvm.vector.reduce.add.v{WIDTH}i64", ir.IntType(64), each)


#: Number of ones in eight words.
population = _made(_population, types.int64, words)


def _signs_of(builder: Any, w: Any, up: Any) -> Any:
    one, sign = (ir.Constant(_WORDS, [word] * WIDTH) for word in (_BITS_OF_ONE, 2**63))
    return builder.xor(builder.or_(builder.and_(builder.shl(w, _equal(builder, up, _WORDS)), sign), one), sign)


#: The words of 1.0 and −1.0 in float64, as the bit says that `up` places are above in each of eight words.
signs_of = _made(_signs_of, words, words, types.uint64)


@intrinsic
def plus(typingctx, a, b, c):
    """a + bc for eight numbers a and c and one b, rounded once."""
    kind, one, name = (_DOUBLES, types.float64, "f64") if a is lanes else (_FLOATS, types.float32, "f32")

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        function = ir.FunctionType(kind, [kind] * 3)
        fma = cgutils.get_or_insert_function(builder.module, function, f"llvm.fmuladd.v{WIDTH}{name}")
        return builder.call(fma, [_equal(builder, values[1], kind), values[2], values[0]])

    return a(a, one, a), code


#: What stands side by side, and as which type of LLVM.
_KINDS = {types.float64: (lanes, _DOUBLES), types.uint64: (words, _WORDS), types.float32: (singles, _FLOATS)}


@intrinsic
def side_by_side(typingctx, a):
    """An array (…, 8) of float64, float32 or uint64, contiguous, as an array (…) of eight of them side by side."""
    if not (isinstance(a, types.Array) and a.dtype in _KINDS and a.layout == "C" and a.ndim > 1):
        return None
    kind, eight = _KINDS[a.dtype]
    # Arrays of NumPy begin at multiples of 16 bytes, not of 64.
    made = types.Array(kind, a.ndim - 1, "C", aligned=False)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        from numba.np.arrayobj import make_array, populate_array

        before = make_array(a)(context, builder, values[0])
        after = make_array(made)(context, builder)
        shape, strides = (cgutils.unpack_tuple(builder, x, a.ndim)[:-1] for x in (before.shape, before.strides))
        populate_array(
            after,
            data=builder.bitcast(before.data, ir.PointerType(eight)),
            shape=shape,
            strides=strides,
            itemsize=context.get_constant(types.intp, a.dtype.bitwidth // 8 * WIDTH),
            meminfo=before.meminfo,
            parent=before.parent,
        )
        value = after._getvalue()
        if context.enable_nrt:
            context.nrt.incref(builder, made, value)
        return value

    return made(a), code


def _as_it_is(a: Any) -> Any:
    return a


def _population_of(w: Any) -> int:
    return sum(int(word).bit_count() for word in w)


def _signs_of_words(w: Any, up: Any) -> Any:
    sign = np.uint64(2**63)
    return (((w << up) & sign) | np.uint64(_BITS_OF_ONE)) ^ sign


def _plus_of_arrays(a: Any, b: Any, c: Any) -> Any:
    return a + b * c


if DISABLE_JIT:
    # What works on words works on arrays of eight.
    side_by_side, population, signs_of = _as_it_is, _population_of, _signs_of_words  # type: ignore[assignment]
    plus = _plus_of_arrays  # type: ignore[assignment]
