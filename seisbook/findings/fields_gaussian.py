"""What the study of the Gaussian process says, beside the methods of `seisbook.findings.fields`."""

from seisbook.findings import fields
from seisbook.findings.quotations import quoting

STUDY, METHOD = "fields-gaussian", "gaussian process"


def published(region) -> list[dict]:
    """Records of a region's fields study and of this one; none if the former, to compare with, has not been run."""
    others = fields.published(region)
    return [*others, *fields.published(region, STUDY)] if others else []


@quoting
def quoted(tables):
    """The rule's words, all regions in a row, from a name such as `gaussian-all-verdict`.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `seisbook.findings.fields.table` of the records of `published`.
    """
    for told in fields.TOLD:
        words = {
            region: found.verdict[told, METHOD] for region, found in tables.items() if (told, METHOD) in found.index
        }
        yield ("gaussian", told, "verdict"), fields.listed(words), ""
