"""Run a transformer block whose memory-bound parts are stitched regions."""

import argparse

import numpy as np

import fsa
from fsa.examples import transformer_block
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--ir", action="store_true", help="print the lowered IR and stop")
    arguments = parser.parse_args()

    weights, tokens = transformer_block.random_weights(), transformer_block.random_tokens()
    module = transformer_block.build(weights)
    if arguments.ir:
        lowered = lower(module, Target.parse(arguments.target))
        print(lowered.get_asm(large_elements_limit=8))
        return
    found = fsa.compile(module, target=arguments.target)(tokens)
    difference = np.max(np.abs(found - transformer_block.reference(tokens, weights)))
    assert difference < 1e-3
    print(f"largest difference from the reference {difference:.1e}")


if __name__ == "__main__":
    main()
