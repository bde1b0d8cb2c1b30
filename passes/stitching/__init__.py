"""Stitching: from the body of a `fsa.stitched_region` to a plan, and from a plan to kernels.

`reader` reads a body as a `graph`, `dims` finds the iteration space that its ops share, `planner`
decides, `plan` writes the decisions into attributes and reads them back, `schedule` derives the
loop nests, `rules` checks them, `liveness` and `allocation` place their row buffers, and
`evaluate`, `sweeps`, `kernel_cpu`, `kernel_gpu` and `host` write the kernels. The terms (dominant,
group, local / regional / global) are those of AStitch (Zheng et al., ASPLOS
2022).
"""
