"""Raising: finding the binarized ops of the dialect in what front ends write in floats."""
