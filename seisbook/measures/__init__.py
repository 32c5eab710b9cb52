"""Measures: errors with intervals, splits, variance, attention, perturbations, retrieval."""
