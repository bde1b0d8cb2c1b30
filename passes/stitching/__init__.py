"""Stitching: from the body of a `fsa.stitched_region` to a plan, and from a plan to kernels.

`graph` reads a body, `dims` finds the iteration space that its ops share, `planner` decides,
`plan` writes the decisions into attributes and reads them back, `schedule` checks them and derives
the loop nests, and `evaluate`, `kernel_cpu`, `kernel_gpu` and `host` write the kernels. The terms
(dominant, group, local / regional / global) are those of AStitch (Zheng et al., ASPLOS 2022).
"""
