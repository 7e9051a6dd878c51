"""All seeded bugs, by where they are."""

from tests.mutants.bugs import aws, dialects, domain, http, imaging, reconcile, template, triggers

BUGS = (
    *domain.BUGS,
    *reconcile.BUGS,
    *aws.BUGS,
    *imaging.BUGS,
    *http.BUGS,
    *dialects.BUGS,
    *triggers.BUGS,
    *template.BUGS,
)
