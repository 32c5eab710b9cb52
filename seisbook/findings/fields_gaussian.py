"""What the study of the Gaussian process says, beside the methods of `seisbook.findings.fields`."""

from seisbook.findings import fields

STUDY, METHOD = "fields-gaussian", "gaussian process"


def published(region) -> list[dict]:
    """Records of a region's fields study and of this one; none if the former, to compare with, has not been run."""
    others = fields.published(region)
    return [*others, *fields.published(region, STUDY)] if others else []
