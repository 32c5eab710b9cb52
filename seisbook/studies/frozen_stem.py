"""Graph parts of robust models, trained alone on what the frozen stem of the twin has read: many trainings in an hour.

A training starts from the twin's model of its arm, as the training of a whole robust model does. It takes depths and
station terms from its training events and then trains the graph part for a given number of steps. Its learning rate is
half of the recipe's: the steps are few, and the model has been trained before.
"""

from dataclasses import dataclass, replace

from seisbook.datasets.events import Events
from seisbook.models.graph import Prediction
from seisbook.models.robust import Onsets, RobustModel
from seisbook.models.robust_training import RobustLocator, of_events
from seisbook.studies import robust_models
from seisbook.studies.robust_models import ReadFold


@dataclass
class GraphLocator(RobustLocator):
    """A robust locator that trains its graph part alone, see `RobustLocator`."""

    def fit_like(self, events: Events, readings: list[Onsets], model: RobustModel | None = None):
        """Train the graph part.

        Parameters
        ----------
        events : Events
        readings : list of Onsets
            See `RobustLocator.fit_graph`.
        model : RobustModel, optional
            A model that was trained on the same events. Its station terms and depths are taken: they follow from the
            events alone, and to learn them takes as long as a third of a training.

        Raises
        ------
        UserError
            As `RobustLocator.fit_graph`.
        """
        if model is None:
            return self.fit_graph(events, readings, progress=False)
        self._begin(events)
        self.model_.graph.stations = model.graph.stations
        self.model_.graph.depth_prior = model.graph.depth_prior
        return self._fit_graph(events, readings, False)


def locator(network, arm, profile, random_state, steps, n_events) -> GraphLocator:
    """An estimator that starts from the arm's model of the twin.

    Parameters
    ----------
    network, arm, profile : str
    random_state : int
        Order of the events, copies that are shown, and stations that are left out.
    steps : int
        Steps of the optimiser, to the nearest whole number of epochs and one epoch at least.
    n_events : int
        Training events.
    """
    whole = robust_models.locator(network, arm, profile, random_state)
    epochs = max(1, round(steps / (n_events // whole.training.events)))
    training = replace(whole.training, graph_epochs=epochs, graph_rate=whole.training.graph_rate / 2)
    return GraphLocator(whole.network, whole.config, training, random_state, whole.start_from)


def unseen(read: ReadFold) -> ReadFold:
    """The fold without the seismograms, which nobody looks at any more and which make a selection slow."""
    events = replace(read.fold.events, x=read.fold.events.x[..., :1])
    return replace(read, fold=replace(read.fold, events=events))


def predict(located: GraphLocator, read: ReadFold, index) -> Prediction:
    """Predictions of some of the events of a fold, as they are, in the order of `index`."""
    events = read.fold.events
    return located.predict(events.select(index), of_events(read.readings[0], events, index))
