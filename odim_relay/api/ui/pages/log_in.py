"""
Logging in and out, by the accounts and sessions of the API.
"""

from odim_relay import bootstrap
from odim_relay.api.ui import safety
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import LOG_IN, LOG_OUT, own_target
from odim_relay.api.ui.visit import PageReply, Visit, see_other
from odim_relay.telemetry import logger
from odim_relay.use_cases.accounts import LONGEST_PASSWORD
from odim_relay.use_cases.log_in import TooManyFailuresError, TooManySessionsError, WrongCredentialsError

log = logger(__name__)

_LONGEST_NAME = 256


def show(visit: Visit) -> PageReply:
    """
    The form; who is logged in already is sent on.
    """
    target = own_target(visit.query.get("to", ""))
    if visit.token and bootstrap.log_in().by_token(visit.token) is not None:
        return see_other(target)
    return _form(target, ended="to" in visit.query)


def log_in(visit: Visit) -> PageReply:
    """
    Begin a session, and go to the page that was wanted.
    """
    target = own_target(visit.form.get("to", ""))
    user_name, password = visit.form.get("user_name", ""), visit.form.get("password", "")
    if not user_name or not password:
        return _form(target, user_name=user_name, problem="Give a user name and a password.", status=400)
    if len(user_name) > _LONGEST_NAME or len(password) > LONGEST_PASSWORD:
        return _form(target, problem="The user name or the password is longer than any.", status=400)
    try:
        opened = bootstrap.log_in().begin(user_name, password, visit.client)
    except WrongCredentialsError:
        words = "The user name or the password is wrong, or the account is disabled."
        return _form(target, user_name=user_name, problem=words, status=401)
    except TooManyFailuresError as exc:
        words = f"Too many log-ins failed. The next one is looked at in {exc.wait_s} s."
        headers = (("Retry-After", str(exc.wait_s)),)
        return _form(target, user_name=user_name, problem=words, status=429, headers=headers)
    except TooManySessionsError:
        words = "Too many sessions are open. Try again when some of them ended."
        return _form(target, user_name=user_name, problem=words, status=503, headers=(("Retry-After", "30"),))
    cookie = safety.session_cookie(opened.token, is_secure=visit.is_secure)
    return see_other(target, headers=(("Set-Cookie", cookie),))


def log_out(visit: Visit) -> PageReply:
    """
    End the session, here and at the API.
    """
    if visit.session is not None:
        bootstrap.log_in().end(visit.session.session_id)
        log.info("session.ended", session_id=visit.session.session_id)
    gone = safety.session_cookie("", is_secure=visit.is_secure)
    return see_other(LOG_IN, headers=(("Set-Cookie", gone),))


def _form(
    target: str,
    *,
    user_name: str = "",
    problem: str = "",
    ended: bool = False,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
) -> PageReply:
    values = {"to": target, "user_name": user_name[:_LONGEST_NAME], "problem": problem, "ended": ended}
    return PageReply(template="log_in.html", values=values, status=status, headers=headers)


PAGES = (
    Page(path=LOG_IN, handlers={"GET": show, "POST": log_in}, is_open=True),
    Page(path=LOG_OUT, handlers={"POST": log_out}),
)
