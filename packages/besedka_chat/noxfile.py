"""`nox` in this folder: the package's wheel, tried on both lines of Django and django-oauth-toolkit."""

import nox

LINES = {
    "oldest": ("django~=4.2.0", "django-oauth-toolkit~=2.4.0"),
    "newest": ("django~=5.2.0", "django-oauth-toolkit~=3.1"),
}


@nox.session
@nox.parametrize("line", list(LINES), ids=list(LINES))
def tests(session: nox.Session, line: str) -> None:
    """Install the wheel, not the folder, so that what is missing in the wheel is missed."""
    session.install(".", "pytest>=8.4,<10", *LINES[line])
    session.run("pytest", "-q", "-o", "pythonpath=tests")
