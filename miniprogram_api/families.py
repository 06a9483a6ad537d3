"""Families (家人): a guardian's children, help that is offered and accepted, and bonds written down at the counter."""

from __future__ import annotations

from typing import Any

from miniprogram_api.content import checked
from miniprogram_api.counter import Entered, resident_at_the_counter, scope_of_hat
from miniprogram_api.edge import Door, account, caller, named_in, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.families import (
    BondIn,
    ChildIn,
    CounterBondOut,
    CounterResidentOut,
    HelpAcceptedIn,
    HelpOfferOut,
)
from miniprogram_api.schemas.residents import WardOut
from miniprogram_api.schemas.rights import HelperOut
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import RESIDENT_NAME
from models.counter import agreed_among, resident_within
from models.families import (
    Child,
    accept_help,
    add_child,
    bind_at_counter,
    bond_within,
    bonds_today,
    end_at_counter,
    helper_with,
    offer_help,
)
from models.journal import enter
from models.residents import Bond, resident_of

door = Door("families", description="家人与代办")


@door.post("/me/children", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(ChildIn)
@door.gives(WardOut, 201)
def add_my_child(sent: dict[str, Any]) -> dict[str, Any]:
    """添加孩子

    A guardian adds a child under eighteen who has no WeChat, agreeing for it to the privacy policy; from then on ``?for={key}`` acts for
    the child, until it is of age. The name is checked first: 422 ``content_risky`` asks for another one. 409 ``child_exists`` gives the
    key of the child that is there already.
    """
    opinion = checked(sent["name"], RESIDENT_NAME, scene=Scene.PROFILE)
    bond = add_child(
        db.session(),
        account(),
        Child(sent["name"], sent["birth_year"]),
        consent_version=sent["consent"]["version"],
    )
    opinion.write_down(key=bond.ward.key, account_id=account().id, resident_id=bond.ward_id)
    return {
        "key": bond.ward.key,
        "name": bond.ward.name,
        "kind": bond.kind,
        "birth_year": bond.ward.birth_year,
    }


@door.post("/me/help-offers", rate=RateName.INVITATIONS)
@door.gives(HelpOfferOut, 201)
def offer_my_help() -> dict[str, Any]:
    """邀请家人让我代办

    A code of eight digits, good for a day and once. An elder of the family enters it on their own phone, or says it at the counter; from
    then on one may act for them. A new code takes the place of the one before.
    """
    session = db.session()
    code = offer_help(session, account())
    oneself = resident_of(session, account())
    return {"code": code, "until": oneself and oneself.invited_until}


@door.post("/me/helpers", rate=RateName.INVITATIONS)
@door.takes(HelpAcceptedIn)
@door.gives(HelperOut, 201)
def accept_a_helper(sent: dict[str, Any]) -> Bond:
    """接受家人代办

    Let whoever made this code act for the person who asks, from now on; ``DELETE /me/helpers/{key}`` ends it at any time. 409
    ``invitation_invalid`` for a code that is unknown, used or too old.
    """
    return accept_help(db.session(), account(), sent["code"])


@door.get("/staff/residents/<key:key>", looks=True)
@door.gives(CounterResidentOut)
def show_resident(key: str) -> Entered:
    """居民与代办关系（工作人员）

    One person of the communities one works for, masked, with who may act for them and for whom they may act today. Every look is
    journalled.
    """
    session, resident = db.session(), resident_at_the_counter(key)
    enter(
        session,
        "resident.looked_at",
        resident,
        by_account_id=account().id,
        identity=caller().identity,
        for_resident_id=resident.id,
    )
    has_agreed = resident.id in agreed_among(session, [resident])
    return Entered(resident, has_agreed, bonds_today(session, resident))


@door.post("/staff/residents/<key:key>/bonds", rate=RateName.COUNTER)
@door.takes(BondIn)
@door.gives(CounterBondOut, 201)
def write_bond_down(sent: dict[str, Any], key: str) -> Bond:
    """登记监护或亲情代办（工作人员）

    Who may act for this person from now on, and how it was agreed. The helper is somebody of the communities one works for, or whoever's
    phone shows the ``code``. A guardian's ends by itself when the child is of age. The same bond twice is the one there is.
    """
    session, scope, ward = db.session(), scope_of_hat(), resident_at_the_counter(key)
    if "code" in sent:
        helper = helper_with(session, sent["code"])
    else:
        with named_in("helper"):
            helper = resident_within(session, scope, sent["helper"])
    return bind_at_counter(
        session, helper=helper, ward=ward, kind=sent["kind"], agreed_how=sent["agreed_how"], by=staff_hat()
    )


@door.delete("/staff/bonds/<key:key>", rate=RateName.COUNTER)
@door.gives(None, 204)
def end_bond_at_the_counter(key: str) -> None:
    """结束代办关系（工作人员）

    From this moment on the helper acts for the person no longer; what was registered stays. Twice is fine.
    """
    session = db.session()
    end_at_counter(session, bond_within(session, scope_of_hat(), key), by=staff_hat())
