"""Datasets: catalogues as seismograms and labels on disk, as graphs, and as tensors in memory."""
