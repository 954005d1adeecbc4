"""A form that arrives after the session ended is not lost (nm-13): it comes back to be sent again."""

from flask import request

# Never sent back to the browser: secrets, and what is valid for one page only.
NEVER = {"pin", "password", "new_password", "again", "code", "proof", "challenge", "ticket", "csrf_token"}


def kept_form() -> list[tuple[str, str]] | None:
    """Fields of the posted form in order, without secrets; None where there is nothing to keep."""
    if request.method != "POST" or not request.form:
        return None
    return [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER]
