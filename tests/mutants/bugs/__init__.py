"""All seeded bugs, by where they are."""

from tests.mutants.bugs import aws, dialects, domain, http, imaging, template, triggers

BUGS = (*domain.BUGS, *aws.BUGS, *imaging.BUGS, *http.BUGS, *dialects.BUGS, *triggers.BUGS, *template.BUGS)
