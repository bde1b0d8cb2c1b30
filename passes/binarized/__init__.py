"""Schedules and kernels of the binarized ops.

`schedules` decides (data in, data out), `ops` reads ops and calls kernels, the `cpu_*` and `gpu_*`
modules build the kernels. The meaning of every op is in `dialects/fsa/SPEC.md`.
"""
