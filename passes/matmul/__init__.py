"""Dense f32 matmuls on CPUs: recognised, planned, their weights packed, and emitted as kernels."""
