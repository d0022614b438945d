"""Where a scheme is looked for: in the site's file, in the files it names, among those of the product."""

from __future__ import annotations

from pathlib import Path

from hotline.config.problems import Problem, SiteProblems
from hotline.config.schema import Site
from hotline.config.scoring import Scheme
from hotline.config.strict_file import read_strict

SHIPPED = Path(__file__).with_name("five-rates.yaml")


def known_schemes(site: Site | None) -> dict[str, Scheme]:
    """Every scheme by its name; a site's own takes the place of the product's of the same name.

    Raises:
        SiteProblems: a file of a scheme cannot be read, or two of the site's have one name.
    """
    shipped = read_strict(SHIPPED, Scheme, like=str(SHIPPED))
    own: dict[str, Scheme] = {}
    if site is None:
        return {shipped.name: shipped}
    for file, scheme in [
        *((None, scheme) for scheme in site.scoring.schemes),
        *(
            (file, read_strict(file, Scheme, like="metrics/scoring/five-rates.yaml"))
            for file in site.scoring.files
        ),
    ]:
        if scheme.name in own:
            place = file or Path("scoring.schemes")
            problem = Problem(place, 0, "name", f'scheme "{scheme.name}" is given twice', "rename one")
            raise SiteProblems(place, [problem])
        own[scheme.name] = scheme
    return {shipped.name: shipped} | own
