// A schedule for the softmax of this example, in the transform dialect: a task is one row, and
// everything that leads to the row is computed inside it, in vectors of 16 numbers.
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %region = transform.structured.match ops{["fsa.stitched_region"]} in %module
      : (!transform.any_op) -> !transform.any_op
    %ops = transform.structured.match ops{["linalg.generic"]} in %region
      : (!transform.any_op) -> !transform.any_op
    %scale, %max, %exp, %sum, %div = transform.split_handle %ops
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)

    // The loop over rows comes from the last op; its producers move in, the nearest first.
    %div_row, %rows = transform.structured.tile_using_forall %div tile_sizes [1, 0]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %sum_row, %rows1 = transform.structured.fuse_into_containing_op %sum into %rows
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    %exp_row, %rows2 = transform.structured.fuse_into_containing_op %exp into %rows1
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    %max_row, %rows3 = transform.structured.fuse_into_containing_op %max into %rows2
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    %scale_row, %rows4 = transform.structured.fuse_into_containing_op %scale into %rows3
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    // So do the starts of the reductions: with nothing left outside, rows are tasks.
    %fills = transform.structured.match ops{["linalg.fill"]} in %region
      : (!transform.any_op) -> !transform.any_op
    %fill_rows, %rows5 = transform.structured.fuse_into_containing_op %fills into %rows4
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)

    // A producer with two users moved in twice: equal copies become one, and what stayed outside
    // without a user goes.
    %func = transform.structured.match ops{["func.func"]} in %module
      : (!transform.any_op) -> !transform.any_op
    transform.apply_cse to %func : !transform.any_op
    transform.apply_dce to %func : !transform.any_op

    // Inside a row, the element-wise ops take steps of 16 numbers, which become vectors.
    %elementwise = transform.structured.match ops{["linalg.generic"]}
      attributes{iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>]} in %func
      : (!transform.any_op) -> !transform.any_op
    transform.foreach %elementwise : !transform.any_op {
    ^bb0(%op: !transform.any_op):
      %step, %loop = transform.structured.tile_using_for %op tile_sizes [0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
      transform.structured.vectorize %step vector_sizes [1, 16] : !transform.any_op
    }
    transform.yield
  }
}
