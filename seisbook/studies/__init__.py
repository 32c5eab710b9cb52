"""Studies: the trainings and tests that the claims rest on, each done once and recorded."""
