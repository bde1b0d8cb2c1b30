"""The pass `fsa-convolutions-to-matmul`."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import arith, ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import (
    cast_to,
    collapse,
    dims,
    elementwise_of,
    expand,
    filled,
    size_of,
    sizes_of,
    strided_part,
)
from fsa.passes.plans import target_of
from fsa.passes.stitching.linear import Linear
from fsa.passes.structure.contractions import (
    Contraction,
    as_matrix,
    contract,
    matmul_form,
    matmul_of,
)
from fsa.passes.structure.fills import filled_number, is_fill
from fsa.passes.structure.loops import Loops, linalg_ops
from fsa.passes.structure.patches import patch_elements, product_of_patches
from fsa.passes.structure.reshapes import static_extent
from fsa.passes.structure.rewriting import replace_op
from fsa.passes.structure.sizes import Sizes, constant
from fsa.passes.structure.transposes import transposed
from fsa.passes.structure.views import Subscripts, View, views_of
from fsa.passes.structure.windows import Windows, convolution_loops, windows_of
from fsa.runtime.targets import ATTRIBUTE


@dataclass(frozen=True)
class FsaConvolutionsToMatmul(Pass):
    """Write convolutions as matmuls.

    With windows of one pixel, a convolution multiplies the channels of every pixel by the same
    weights. With channels last, and for one image with channels first, that is one plain matmul of
    all pixels; for several images with channels first it is a contraction for each image with the
    weights in common. Strides become a slice of the pixels that are read. Where the module carries
    a CPU target, those in f32 stay: the kernels for convolutions take them, with padding and
    epilogue.

    Other windows become a gather of what each reads (im2col) and a matmul, where the module carries
    a GPU target: IREE runs convolutions as plain loops there, several times slower, and its own way
    to matmuls gives wrong sums on Vulkan. The pixels, or filters, that lanes run along are filled
    up to whole tiles; the gather pads, takes strides, dilations and groups. A convolution stays
    whose groups have few filters, since gathering is then more work than multiplying, or whose
    patches would take more than `patch-bytes`. The same gather serves windows of one pixel where a
    slice of the image, or the image, makes no whole vectors.

    Any of linalg's dense convolutions in one to three dimensions, in any layout, is recognised by
    its indexing maps.
    """

    name: ClassVar[str] = "fsa-convolutions-to-matmul"
    summary: ClassVar[str] = "Turn convolutions into matmuls"

    patch_bytes: int = field(
        default=128 << 20,
        metadata={"help": "most bytes of patches (of a sample, if the batch is dynamic)"},
    )
    min_filters: int = field(
        default=4, metadata={"help": "fewest filters of a group whose patches are gathered"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the convolutions inside the module `op`."""
        kind = target_of(op).kind if ATTRIBUTE in op.attributes else None
        for operation in linalg_ops(op):
            if kind not in (None, "cpu") and self._gather(operation):
                continue
            loops = _pointwise(operation)
            if loops is None:
                continue
            if kind == "cpu" and isinstance(operation.operands[0].type.element_type, ir.F32Type):
                continue
            _rewrite(operation, loops)

    def _gather(self, op: Any) -> bool:
        """Replace a convolution by a matmul of gathered patches where that pays; tell whether."""
        windows = windows_of(op)
        if windows is None or windows.images == 0:
            return False  # nothing to compute
        if windows.count(windows.filters) < self.min_filters:
            return False
        if _pointwise(op) is not None and (windows.groups == 1 and not _has_odd_columns(windows)):
            return False
        element = op.operands[0].type.element_type
        if not isinstance(element, (ir.FloatType, ir.IntegerType)):
            return False
        if patch_elements(windows) * element.width > 8 * self.patch_bytes:
            return False
        with op.location, ir.InsertionPoint(op):
            product, init = product_of_patches(op, windows), op.operands[2]
            value = product if filled_number(init) == 0 else _sum(product, init)
        replace_op(op, [value])
        return True


def _pointwise(op: Any) -> Loops | None:
    """Return the loops of a convolution whose windows are one pixel, None for anything else."""
    loops = convolution_loops(op)
    if loops is None:
        return None
    image, weights, out = (index or () for index in loops.indices)
    if any(entry.loop is None for entry in (*weights, *out)):
        return None
    if not any(len(entry.terms) > 1 for entry in image):
        return None
    for entry in image:
        moving = [loop for loop, _ in entry.terms if loops.extents[loop] != 1]
        if entry.constant or len(moving) > 1 or any(step < 1 for _, step in entry.terms):
            return None
    return loops


def _rewrite(op: Any, loops: Loops) -> None:
    """Replace a convolution with windows of one pixel by a contraction of its pixels."""
    image, weights, out = (index or () for index in loops.indices)
    kept = [_kept_term(entry, loops) for entry in image]
    read: Subscripts = tuple(loop for loop, _ in kept)
    filters: Subscripts = tuple(entry.loop for entry in weights)
    result: Subscripts = tuple(entry.loop for entry in out)
    sums = {d for d in read if d not in result and loops.extents[d or 0] != 1}
    if len(sums) != 1 or not sums <= set(filters):
        return  # depthwise: nothing is summed
    with op.location, ir.InsertionPoint(op):
        pixels = _pixels(op, kept, result, loops)
        init = op.operands[2]
        zeros = init if is_fill(init) else _zeros(init)
        contraction = Contraction(
            op, View(pixels, read), View(op.operands[1], filters), zeros, result, loops.extents
        )
        value = _plain(contraction) or _per_image(contraction)
        if value is None:
            return
        value = value if zeros == init else _sum(value, init)
    replace_op(op, [value])


def _has_odd_columns(windows: Windows) -> bool:
    """Return whether a product of whole pixels has columns that IREE's Vulkan back end dislikes.

    It makes no vectors of them, and lets each lane of a workgroup do the work of all.
    """
    last = windows.out[-1]
    columns = (last,) if last == windows.filters else windows.pixels
    return windows.count(*columns) % 4 != 0


def _zeros(like: Any) -> Any:
    element = like.type.element_type
    return filled(sizes_of(like), element, 0.0 if isinstance(element, ir.FloatType) else 0)


def _sum(value: Any, init: Any) -> Any:
    """Add the initial value behind the product: most often a bias, read before its broadcast.

    As an accumulator of a product with one column it is more than IREE's Vulkan back end takes.
    """
    view = views_of(init, tuple(range(init.type.rank)))[-1]
    add = arith.addf if isinstance(init.type.element_type, ir.FloatType) else arith.addi
    loops = dims(init.type.rank)
    subscripts = [ir.AffineConstantExpr.get(0) if d is None else loops[d] for d in view.subscripts]
    return elementwise_of(
        sizes_of(init),
        init.type.element_type,
        [(value, loops), (view.value, subscripts)],
        add,
    )


def _kept_term(entry: Linear, loops: Loops) -> tuple[int, int]:
    """Return the loop, and its step, that a subscript of the image is without the window's."""
    terms = sorted(entry.terms, key=lambda term: (loops.extents[term[0]] == 1, term[0]))
    return terms[0]


def _pixels(op: Any, kept: list[tuple[int, int]], out: Subscripts, loops: Loops) -> Any:
    """Return the part of the image that is read, a slice where that is not all of it."""
    image, init = op.operands[0], op.operands[2]
    known = Sizes()
    sizes: list[Any] = []
    whole = True
    for axis, (loop, step) in enumerate(kept):
        value, position = (init, out.index(loop)) if loop in out else (image, axis)
        extent = loops.extents[loop]
        needed = known.dim(value, position) if extent is None else constant(extent)
        whole &= step == 1 and needed == known.dim(image, axis)
        sizes.append((value, position) if extent is None else extent)
    if whole:
        return image
    sizes = [size if isinstance(size, int) else size_of(*size) for size in sizes]
    return strided_part(image, sizes, [step for _, step in kept])


def _plain(contraction: Contraction) -> Any:
    """Build one matmul of all pixels; None when the dimensions do not stand that way."""
    image, weights = contraction.lhs, contraction.rhs
    for left, right in ((image, weights), (weights, image)):
        form = matmul_form(left, right, contraction)
        if form is not None:
            return matmul_of(contraction, left, right, form)
    turned = _turned(weights, contraction)
    form = None if turned is None else matmul_form(image, turned, contraction)
    return None if turned is None or form is None else matmul_of(contraction, image, turned, form)


def _turned(weights: View, contraction: Contraction) -> View | None:
    """Return weights [filters, 1, 1, channels] as [channels, filters]."""
    long = [d for d in weights.subscripts if d is not None and contraction.extents[d] != 1]
    if len(long) != 2:
        return None
    matrix = as_matrix(weights.value, 1 + weights.subscripts.index(long[0]))
    return View(transposed(matrix, (1, 0)), (long[1], long[0]))


def _per_image(contraction: Contraction) -> Any:
    """Build [filters, channels] times [images, channels, pixels]; None in another order."""
    image, out = contraction.lhs, contraction.out
    channels, filters = image.subscripts[1], out[1]
    if image.subscripts[0] != out[0] or image.subscripts[2:] != out[2:] or len(out) < 3:
        return None
    long = [d for d in contraction.rhs.subscripts if d is None or contraction.extents[d] != 1]
    if long != [filters, channels]:
        return None
    op, rank = contraction.op, len(out)
    groups = [[0], [1], list(range(2, rank))]
    init = contraction.init
    flat_image, flat_init = (
        collapse(value, groups, [static_extent(value, group) for group in groups])
        for value in (image.value, init)
    )
    cut = 1 + contraction.rhs.subscripts.index(filters)
    matrix = as_matrix(contraction.rhs.value, cut)
    product = contract(op, (matrix, flat_image, flat_init), ((1, 3), (0, 3, 2), (0, 1, 2)))
    return cast_to(expand(product, groups, sizes_of(init)), op.results[0].type)
