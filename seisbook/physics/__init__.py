"""Physics: travel times, rendered seismograms, simulated twins, and the bound that no locator can beat."""
