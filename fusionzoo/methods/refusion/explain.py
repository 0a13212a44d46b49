"""What the learned loss prefers, and where: P's weights for a pair, as pictures.

White in `W first` means that the fused intensity is held to the first source there, black that it
is held to the second; grey levels between are compromises. `V first` says the same of gradients.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor

from fusionzoo.colour import grey_plane
from fusionzoo.core import Method, Sample, WeightsError
from fusionzoo.methods.refusion.network import Proposal
from fusionzoo.methods.refusion.settings import Settings
from fusionzoo.weights import read_state_dict


def load_proposal(task: str, path: Path | None = None) -> Proposal:
    """P as it was when a training ended.

    Args:
        task: Whose shipped parameters to take.
        path: A `proposal.safetensors` of one's own training instead.

    Raises:
        WeightsError: None are shipped for the task, or the file is not P's.
    """
    shipped = Path(
        str(files("fusionzoo") / "methods" / "refusion" / f"proposal_{task}.safetensors")
    )
    place = path or shipped
    if not place.exists():
        raise WeightsError(
            f"no learned loss is shipped for the task '{task}': give the proposal.safetensors that "
            "`fusionzoo train refusion` wrote, by --weights"
        )
    proposal = Proposal(Settings().gradient_padding, Settings().symmetric).eval()
    try:
        proposal.load_state_dict({k: v.float() for k, v in read_state_dict(place).items()})
    except RuntimeError:
        raise WeightsError(
            f"{place} does not hold the parameters of ReFusion's P: expected proposal.safetensors"
        ) from None
    return proposal


@torch.inference_mode()
def maps(proposal: Proposal, first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """Weights of the first source, (B, 1, H, W) each; those of the second are one minus them."""
    intensity, gradient = proposal(first, second)
    return {"W first": intensity[:, :1], "V first": gradient[:, :1]}


def explain(entry: Method, path: Path | None, sample: Sample) -> dict[str, Tensor]:
    """Maps (1, H, W) for one scene; "first" is replaced by the role.

    Args:
        entry: The form of the method for the scene's pair.
        path: P's parameters; None takes the shipped ones.
        sample: A scene with the pair's roles.
    """
    proposal = load_proposal(entry.pair, path)
    planes = [grey_plane(sample.images[role][None], entry.luma) for role in entry.inputs]
    found = maps(proposal, planes[0], planes[1])
    return {name.replace("first", entry.inputs[0]): plane[0] for name, plane in found.items()}
