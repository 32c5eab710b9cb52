"""Figures: one module a chapter, and the style and parts that all of them share."""
