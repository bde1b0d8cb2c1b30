"""Convolutions and pooling in f32 on a CPU: recognised, planned and emitted as kernels."""
