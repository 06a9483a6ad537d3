"""Profiles (个人资料): what the town must know of a person before anything is written down for them.

Every noun that gives something to a person asks here, so that the phone meets one refusal with one shape, whatever it wanted.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from models.accounts import Account
from models.consents import PRIVACY_POLICY, withdraw
from models.counter import withdraw_those_kept_of
from models.errors import Conflict
from models.residents import bonds_over, resident_of


class Knowable(Protocol):
    """A person as far as this rule looks: a resident's row, or what a hot path has read of one."""

    @property
    def name(self) -> str | None: ...
    @property
    def has_phone(self) -> bool: ...
    @property
    def has_home(self) -> bool: ...
    @property
    def birth_year(self) -> int | None: ...


Somebody = TypeVar("Somebody", bound=Knowable)


def missing_of(oneself: Knowable | None, *, has_agreed: bool) -> list[str]:
    """What somebody who acts in the town has not told us yet, by the names of the fields."""
    told = {
        "name": oneself is not None and oneself.name,
        "phone": oneself is not None and oneself.has_phone,
        "home_community": oneself is not None and oneself.has_home,
        "consent": has_agreed,
    }
    return [field for field, known in told.items() if not known]


def must_be_known(
    oneself: Somebody | None,
    for_whom: Somebody | None,
    *,
    has_agreed: bool,
    ward_withdrew: bool = False,
    at_what_age: bool = False,
) -> Somebody:
    """The one it is for, once everything is filled in; ``for_whom`` is ``oneself`` unless somebody else is acted for.

    ``has_agreed``: whether a consent of who acts is in force; ``ward_withdrew``: whether the one acted for took theirs back;
    ``at_what_age``: whether the year of birth matters. Raises Conflict ``ward_withdrew``, which only they can mend, or
    ``profile_needed`` naming every field that is missing, those of somebody else with ``for.`` in front.
    """
    if ward_withdrew:
        raise Conflict(
            "ward_withdrew",
            "您要代办的人撤回了对隐私政策的同意，暂时不能替其办理；请本人在小程序里重新同意后再试",
        )
    missing = missing_of(oneself, has_agreed=has_agreed)
    has_no_age = at_what_age and (for_whom is None or for_whom.birth_year is None)
    if for_whom is not oneself and for_whom is not None:
        missing += ["for.name"] if not for_whom.name else []
        missing += ["for.home_community"] if not for_whom.has_home else []
        missing += ["for.birth_year"] if has_no_age else []
    elif has_no_age:
        missing.append("birth_year")
    if missing or for_whom is None:
        raise Conflict(
            "profile_needed",
            "请先填写个人信息，以后不用再填",
            details={"fields": missing, "consent_version": PRIVACY_POLICY.version},
        )
    return for_whom


def must_be_known_at_counter(
    for_whom: Somebody | None, *, has_agreed: bool, withdrew: bool, at_what_age: bool = False
) -> Somebody:
    """The one whom staff act for, once all that is needed of them is written down; a phone number is not.

    Raises Conflict ``ward_withdrew``, which only they can mend, or ``profile_needed`` naming what is missing with ``for.`` in front.
    """
    if withdrew:
        raise Conflict(
            "ward_withdrew",
            "这位居民撤回了对隐私政策的同意，暂时不能替其办理；请本人在小程序里重新同意，或当面签字",
        )
    told = {
        "for.name": for_whom is not None and for_whom.name,
        "for.home_community": for_whom is not None and for_whom.has_home,
        "for.birth_year": not at_what_age or (for_whom is not None and for_whom.birth_year is not None),
        "for.consent": has_agreed,
    }
    missing = [field for field, known in told.items() if not known]
    if missing or for_whom is None:
        raise Conflict(
            "profile_needed",
            "请先补全这位居民的登记，以后不用再填",
            details={"fields": missing, "consent_version": PRIVACY_POLICY.version},
        )
    return for_whom


def withdraw_from_all(session: Session, account: Account, *, identity: str = "resident") -> None:
    """Take back every agreement of this person's, in the app or on paper: nothing new is registered by them or by who acts for them.

    On paper is what was agreed to when somebody was first allowed to act for them. The caller holds the account, for which a tap
    of a helper's waits.
    """
    oneself = resident_of(session, account)
    over = bonds_over(session, oneself) if oneself else []
    if oneself is not None:
        withdraw_those_kept_of(session, [oneself.id])
    withdraw(
        session,
        account,
        identity=identity,
        agreed_on_paper_at=min((bond.agreed_at for bond in over), default=None),
    )
