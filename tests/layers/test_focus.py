"""Focus pairs: discs of the right size, sharp planes untouched, soft occlusion."""

import pytest
import torch

from fusionzoo.layers.focus import disc, disc_blur, focus_pair, focused, random_disparity


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("radius", [0.6, 2.0, 5.3])
def test_a_disc_has_sum_one_and_its_radius(radius: float) -> None:
    kernel = disc(radius)
    assert float(kernel.sum()) == pytest.approx(1)
    area = float((kernel / kernel.max()).sum())
    assert area == pytest.approx(torch.pi * (radius + 0.02) ** 2, rel=0.25)


def test_blur_by_spectra_equals_convolution() -> None:
    planes = torch.rand(2, 31, 44, generator=seeded())
    kernel = disc(3.4)
    reach = kernel.shape[-1] // 2
    padded = torch.nn.functional.pad(planes[None], (reach,) * 4, mode="replicate")
    expected = torch.nn.functional.conv2d(padded.transpose(0, 1), kernel[None, None])[:, 0]
    torch.testing.assert_close(disc_blur(planes, 3.4), expected, rtol=0, atol=1e-5)


def two_planes() -> tuple[torch.Tensor, torch.Tensor]:
    picture = torch.rand(3, 48, 80, generator=seeded(2))
    disparity = torch.zeros(1, 48, 80)
    disparity[..., 40:] = 1.0
    return picture, disparity


def test_each_picture_is_sharp_on_its_own_plane() -> None:
    picture, disparity = two_planes()
    pair = focus_pair(picture, seeded(), disparity, (4.0, 4.01))
    torch.testing.assert_close(pair.near[..., 40:], picture[..., 40:], rtol=0, atol=1e-5)
    torch.testing.assert_close(pair.far[..., :30], picture[..., :30], rtol=0, atol=1e-5)
    assert pair.near[..., :40].std() < 0.4 * picture.std()
    assert pair.far[..., 45:].std() < 0.4 * picture.std()


def test_a_blurred_foreground_spreads_over_a_sharp_background() -> None:
    _, disparity = two_planes()
    picture = disparity.expand(3, -1, -1).clone()  # white foreground before a black background
    far = focused(picture, disparity, 0.0, 6.0)[0, 24]
    near = focused(picture, disparity, 1.0, 6.0)[0, 24]
    assert 0.05 < far[38] < far[41] < 0.95
    assert near[39] < 0.02
    assert near[40] > 0.98


def test_pairs_repeat_and_disparity_reaches_both_ends() -> None:
    picture = torch.rand(3, 60, 72, generator=seeded(4))
    first, again = (focus_pair(picture, seeded(9)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    disparity = random_disparity(picture, seeded(1))
    assert disparity.shape == (1, 60, 72)
    assert (disparity.min(), disparity.max()) == (0, 1)
