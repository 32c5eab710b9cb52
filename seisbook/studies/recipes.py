"""The two profiles, quick and paper: numbers of events and epochs of the trainings in the book."""

from dataclasses import dataclass

from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import ModelConfig


@dataclass(frozen=True)
class Profile:
    """Size of the trainings: events of the twin, learning rates to try, training on the twin and on the bulletin.

    The learning rate in `pretraining` is replaced by the one chosen on the twin, that in `training` by half of it.
    """

    name: str
    twin_events: int
    rates: tuple[float, ...]
    trial_events: int
    trial: TrainingConfig
    pretraining: TrainingConfig
    training: TrainingConfig


PROFILES = {
    "quick": Profile(
        "quick",
        twin_events=200,
        rates=(2e-3,),
        trial_events=0,
        trial=TrainingConfig(),
        pretraining=TrainingConfig(epochs=3, graph_epochs=4, batch_size=16, validation=0.0),
        training=TrainingConfig(epochs=2, graph_epochs=4, validation=0.0),
    ),
    "paper": Profile(
        "paper",
        twin_events=3000,
        rates=(1e-3, 2e-3, 4e-3),
        trial_events=800,
        trial=TrainingConfig(epochs=3, graph_epochs=0, batch_size=32, validation=0.0),
        pretraining=TrainingConfig(epochs=6, graph_epochs=12, batch_size=32, validation=0.0),
        training=TrainingConfig(epochs=5, graph_epochs=20, validation=0.0),
    ),
}


def model_config(network) -> ModelConfig:
    """The default model with the network's window."""
    return ModelConfig(window_s=network.window.length_s, sampling_rate_hz=network.window.sampling_rate_hz)
