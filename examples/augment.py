"""Random small shifts, turns and scalings of images, for the training scripts (needs torch)."""

import torch
import torch.nn.functional as F


def random_affine(
    images: torch.Tensor, *, degrees: float = 12.0, scale: float = 0.12, shift: float = 2.0
) -> torch.Tensor:
    """Return `images` [N, H, W], each moved by up to `shift` pixels, turned and scaled at random.

    `degrees` is the largest angle, `scale` the largest relative change of size, and a shear of up
    to half that angle is added. Pixels from outside the frame are 0.
    """
    count, height, _ = images.shape

    def uniform(limit: float) -> torch.Tensor:
        return (torch.rand(count) * 2 - 1) * limit

    angle = torch.deg2rad(uniform(degrees))
    shear = torch.tan(torch.deg2rad(uniform(degrees / 2)))
    size_x, size_y = 1 + uniform(scale), 1 + uniform(scale)
    shift_x, shift_y = uniform(2 * shift / height), uniform(2 * shift / height)
    matrix = torch.stack(
        [
            torch.stack([size_x * angle.cos(), shear - size_x * angle.sin(), shift_x], dim=1),
            torch.stack([size_y * angle.sin(), size_y * angle.cos(), shift_y], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(matrix, [count, 1, *images.shape[1:]], align_corners=False)
    return F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]
