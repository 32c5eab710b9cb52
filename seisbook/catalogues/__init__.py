"""Catalogues: what observatories publish, read into one form, and the networks that they come from."""
