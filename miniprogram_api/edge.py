"""The edge (门口): where a request becomes a deed. Who is asking, what they sent, one transaction, one shape back.

A ``Door`` is a blueprint that lets nobody in unasked: every route beneath it needs a login unless it says otherwise. Views say
what they take and give and speak to ``models``; the door does the rest, in this order:

1. the token is checked, what has a rate is counted, the login looked up, the identity of ``X-Identity`` put on;
2. what was sent is checked against the shape, unknown fields refused;
3. the view acts, inside one transaction that declared beforehand whether it writes;
4. commit; only then the answer is shaped and sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Request, Response, g, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from miniprogram_api.attempts import FORM, Attempt, attempt_named, keep_answer, told_before, told_meanwhile
from miniprogram_api.installed import freshness, rates, terms, token_mint
from miniprogram_api.rates import RateName, address_of
from models.accounts import Account, account_behind
from models.base import TownSession, db
from models.errors import Conflict, Fault, Forbidden, NotFound, Refusal, Unauthenticated
from models.partners import Partner, partner_by_key
from models.staff import StaffMember, staff_member_by_key

P = ParamSpec("P")
R = TypeVar("R")

WRITING = frozenset({"POST", "PUT", "DELETE"})
ROUND_A_PHOTO = 1 << 14
MEDIA = {"json": "application/json", "files": FORM}


class Needs(Enum):
    """What a route asks of its caller."""

    NOTHING = "nothing"  # public
    SIGNATURE = "signature"  # a token we signed; the deed itself checks that the login still stands
    LOGIN = "login"  # a login that stands, and an identity


@dataclass(frozen=True)
class Manners:
    """How a route behaves. ``asks_wechat``: the view looks first, waits ``between_transactions``, and writes afterwards.

    ``rate``: what a call is counted as, by login, or by address where there is none. ``takes_photo``: what is sent may be as large as a
    photo.
    """

    needs: Needs
    looks: bool
    asks_wechat: bool
    rate: RateName | None
    takes_photo: bool


@dataclass
class Caller:
    """Who is asking, in which hat."""

    login_key: str
    identity: str = "resident"
    account: Account | None = None
    openid: str = ""
    staff_member: StaffMember | None = None
    partner: Partner | None = None


class _Parser(FlaskParser):
    """Shapes decide what is unknown, everywhere: query strings too refuse what they do not know, and what is said twice."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - webargs' own class attribute

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        twice = {name: ["只能填一次"] for name, values in req.args.lists() if len(values) > 1}
        if twice:
            raise ValidationError(twice)
        return super().load_querystring(req, schema)

    def load_json(self, req: Request, schema: Schema) -> Any:
        try:
            return super().load_json(req, schema)
        except (ValueError, RecursionError):  # a number of thousands of digits, a list in a list in a list …
            raise BadRequest from None


class Door(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A blueprint whose routes are closed unless they say they are open."""

    ARGUMENTS_PARSER = _Parser()

    def __init__(self, name: str, *, description: str) -> None:
        super().__init__(name, f"miniprogram_api.{name}", description=description)
        self.manners: dict[str, Manners] = {}
        self.before_request(self._let_in)

    # --- declaring a route ----------------------------------------------------------------------------------------

    def route(
        self,
        rule: str,
        *,
        needs: Needs = Needs.LOGIN,
        looks: bool = False,
        asks_wechat: bool = False,
        kept: bool = False,
        takes_photo: bool = False,
        rate: RateName | None = None,
        **options: Any,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Like Flask's, closed by default.

        ``looks``: a GET that journals what it shows, and so writes. ``kept``: the same bytes for everyone, served from
        ``Freshness`` before anything is parsed. ``rate``: how often it may be asked, 429 ``too_many_requests`` beyond.
        ``takes_photo``: a body of up to ``PHOTO_MEGABYTES``, and a little for what is around it.
        """
        register = super().route(rule, **options)

        def decorate(view: Callable[P, R]) -> Callable[P, R]:
            self.manners[f"{self.name}.{options.get('endpoint') or view.__name__}"] = Manners(
                needs, looks, asks_wechat, rate, takes_photo
            )
            methods = set(options.get("methods", ()))
            shown: Callable[..., Any] = self._documented(view, needs, methods)
            if rate is not None:
                self._refusing(shown, (429,))
            return cast("Callable[P, R]", register(_from_kept(shown) if kept else shown))

        return decorate

    def takes(
        self, shape: type[Schema], *, location: str = "json"
    ) -> Callable[[Callable[..., R]], Callable[..., R]]:
        """What is sent, checked against a shape; the view gets it as its first argument."""
        rules = shape()  # one instance: webargs would build a class anew each request
        parse = self.arguments(rules, location=location)
        unsaid = rules.load({}) if location == "query" and not rules.validate({}) else None

        def decorate(view: Callable[..., R]) -> Callable[..., R]:
            parsed = parse(view)
            if location == "query":

                @wraps(parsed)
                def query_only(*args: Any, **kwargs: Any) -> R:
                    # most taps come without a query; reading nothing through webargs takes a fifth of the view's time
                    if unsaid is not None and not request.query_string:
                        return view(*args, {**unsaid}, **kwargs)
                    return cast("R", parsed(*args, **kwargs))

                return query_only
            if location not in MEDIA:
                return cast("Callable[..., R]", parsed)

            @wraps(parsed)
            def of_its_kind_only(*args: Any, **kwargs: Any) -> R:
                if request.mimetype != MEDIA[location]:
                    raise UnsupportedMediaType
                return cast("R", parsed(*args, **kwargs))

            return self._refusing(of_its_kind_only, (400, 413, 415))

        return decorate

    def gives(
        self,
        shape: type[Schema] | None,
        status: int = 200,
        *,
        refuses: Iterable[int] = (),
    ) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
        """What is answered: commit first, then shape. ``refuses`` documents statuses."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
            def act(*args: Any, **kwargs: Any) -> Any:
                result = view(*args, **kwargs)
                session = cast("TownSession", db.session()) if db.session.registry.has() else None
                if session is not None and session.info.get("writes"):
                    if (attempt := _attempt()) and not isinstance(result, Response):  # a file is made anew
                        keep_answer(session, account(), attempt, shape=shape, status=status, result=result)
                    session.commit()
                    session.declare_reads()  # shaping may look something up, and must hold nobody up
                return result

            @wraps(view)
            def deed(*args: Any, **kwargs: Any) -> Any:
                try:
                    return act(*args, **kwargs)
                except Refusal:
                    attempt = _attempt()
                    told = attempt and told_meanwhile(cast("TownSession", db.session()), account(), attempt)
                    if told:
                        return told
                    raise

            return self._refusing(
                cast("Callable[..., Response]", self.response(status, shape)(deed)), refuses
            )

        return decorate

    def _documented(self, view: Callable[P, R], needs: Needs, methods: set[str]) -> Callable[P, R]:
        statuses = {503}
        if needs is not Needs.NOTHING:
            statuses |= {401, 403, 404}
            view = self.doc(security=[{"bearer": []}])(view)
        if "POST" in methods and needs is Needs.LOGIN:
            statuses |= {409, 422}  # an Idempotency-Key that is malformed, or was used for something else
        return self._refusing(view, sorted(statuses))

    def _refusing(self, view: Callable[P, R], statuses: Iterable[int]) -> Callable[P, R]:
        """The view with these refusals in its documentation alone: flask-smorest would wrap it, and copy all of it, once a status."""
        written = vars(view)["_apidoc"] = deepcopy(vars(view).get("_apidoc", {}))
        responses = written.setdefault("response", {}).setdefault("responses", {})
        for status in statuses:
            responses.setdefault(status, []).append(_component(status))
        return view

    # --- letting somebody in --------------------------------------------------------------------------------------

    def _let_in(self) -> Response | None:
        # no session is made for what needs none: kept lists, and taps, which the committer decides on its own connection
        manners = self.manners[request.endpoint or ""]
        if manners.takes_photo:
            request.max_content_length = (terms().photo_megabytes << 20) + ROUND_A_PHOTO
        will_write = request.method in WRITING or manners.looks
        if manners.needs is Needs.NOTHING:
            if manners.rate is not None:
                rates().count(manners.rate, asking_address())
            if will_write:
                cast("TownSession", db.session()).declare_writes()
            return None
        login_key = token_mint().login_key(_bearer())
        if manners.rate is not None:
            rates().count(manners.rate, login_key)
        if manners.needs is Needs.SIGNATURE:
            if _identity() != "resident":
                raise Forbidden("identity_unfit", "请切换到居民身份再操作")
            g.caller = Caller(login_key)
            return None
        session = cast("TownSession", db.session())
        if will_write and not manners.asks_wechat:
            session.declare_writes()
        g.caller = _recognise(session, login_key)
        if request.method != "POST" or g.caller.account is None:
            return None
        g.attempt = attempt_named(g.caller.identity)
        return told_before(session, g.caller.account, g.attempt) if g.attempt else None


def caller() -> Caller:
    """Who is asking. Only behind a door that needs somebody."""
    return cast("Caller", g.caller)


def account() -> Account:
    """The account that is asking, in the request's own transaction."""
    found = caller().account
    if found is None:
        raise Unauthenticated
    return found


def staff_hat() -> StaffMember:
    """The staff member who is asking. Raises Forbidden in any other hat."""
    member = caller().staff_member
    if member is None:
        raise Forbidden("identity_unfit", "请切换到工作人员身份再操作")
    return member


def partner_hat() -> Partner:
    """The unit that is asking. Raises Forbidden in any other hat."""
    partner = caller().partner
    if partner is None:
        raise Forbidden("identity_unfit", "请切换到单位身份再操作")
    return partner


def _attempt() -> Attempt | None:
    return cast("Attempt | None", g.get("attempt"))


def account_if_any() -> Account | None:
    """Who is asking on a public route, when a login that stands was sent along. A login that does not is nobody's: it is public."""
    if "HTTP_AUTHORIZATION" not in request.environ:
        return None
    try:
        return account_behind(db.session(), token_mint().login_key(_bearer()))
    except Unauthenticated:
        return None


@contextmanager
def between_transactions() -> Iterator[None]:
    """Wait for somebody outside in here: what was read before is let go, nothing is locked, and what follows may write."""
    session = cast("TownSession", db.session())
    session.rollback()
    yield
    session.declare_writes()


@contextmanager
def named_in(field: str) -> Iterator[None]:
    """What is looked up in here was named in a field of what was sent: where it is not there, Conflict ``not_there`` names the field.

    The address was found, so it is no 404; and what was sent was well formed.
    """
    try:
        yield
    except NotFound as missing:
        raise Conflict("not_there", missing.message, faults=[Fault(field, missing.message)]) from None


def asking_address() -> str:
    """The network address a request came from, as far as our own proxies vouch for it."""
    return address_of(
        request.environ.get("REMOTE_ADDR") or "",
        request.environ.get("HTTP_X_FORWARDED_FOR", ""),
        trusted_proxies=terms().trusted_proxies,
    )


def _bearer() -> str:
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return cast("str", token.strip())


def _identity() -> str:
    return cast("str", request.environ.get("HTTP_X_IDENTITY", "resident"))


def _recognise(session: TownSession, login_key: str) -> Caller:
    who = account_behind(session, login_key)
    found = Caller(login_key, account=who, openid=who.openid)
    found.identity = _identity()
    kind, _, key = found.identity.partition(":")
    if kind == "staff" and key:
        found.staff_member = staff_member_by_key(session, who, key)
    elif kind == "partner" and key:
        found.partner = partner_by_key(session, who, key)
        if request.method in WRITING:
            found.partner.must_not_be_suspended()
    elif found.identity != "resident":
        raise NotFound("没有这个身份", code="identity_unknown")
    return found


def _from_kept(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def served(*args: Any, **kwargs: Any) -> Response:
        return freshness().serve(lambda: view(*args, **kwargs))

    return served


def _component(status: int) -> str:
    return f"Problem{status}"
