"""Devices: full precision is a matter of a GPU alone, and is given back."""

import pytest
import torch

from fusionzoo.core import FusionZooError
from fusionzoo.devices import full_precision, pick_device


@pytest.mark.parametrize("before", [True, False])
def test_full_precision_is_given_back(before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", before)
    with full_precision(torch.device("cuda")):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before
    with full_precision(torch.device("cpu")):
        assert torch.backends.cudnn.allow_tf32 == before

    def failing() -> None:
        with full_precision(torch.device("cuda")):
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        failing()
    assert torch.backends.cudnn.allow_tf32 == before


def test_an_unknown_device_is_one_clear_line() -> None:
    with pytest.raises(FusionZooError, match=r"'nonsense' cannot be used: .*try --device cpu"):
        pick_device("nonsense")
