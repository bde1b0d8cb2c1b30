"""The capsule family's schedules and kernels: what its plan and emit passes share."""
