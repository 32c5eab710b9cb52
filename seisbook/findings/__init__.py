"""Findings: what the studies say, the verdicts on the claims, and what each chapter quotes."""
