"""Oneself: what we know of the person who asks, and what they tell us."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.edge import Door, Needs, account, between_transactions, caller, named_in
from miniprogram_api.installed import wechat_gateway
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.fields import masked_phone
from miniprogram_api.schemas.residents import MeIn, MeOut, PhoneIn, PrivacyPolicyOut
from miniprogram_api.staff import staff_identity
from miniprogram_api.wechat import Scene
from models.accounts import Account
from models.base import db
from models.consents import PRIVACY_POLICY, ConsentChannel, agree, consent_in_force, must_have_agreed
from models.content_checks import RESIDENT_NAME, CheckState, review_of
from models.journal import enter
from models.partners import partners_of
from models.profiles import missing_of
from models.regions import Region, region_by_key
from models.residents import Bond, Profile, Resident, bonds_of, introduce, resident_of
from models.staff import staff_members_of

door = Door("residents", description="我的")


@door.get("/me")
@door.gives(MeOut)
def show_me() -> dict[str, Any]:
    """我的资料

    Everything we know of the person who asks, what is still missing for a registration, the identities they may put on, and the
    people they may act for.
    """
    return _me(db.session(), account())


@door.put("/me", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(MeIn)
@door.gives(MeOut, refuses=(409, 422))
def tell_about_me(sent: dict[str, Any]) -> dict[str, Any]:
    """填写资料

    Keep what is sent; what is left out stays as it is. Needs a standing consent, given before or in the same request. A phone
    number sent here is kept as unverified. A new name is checked first: 422 ``content_risky`` asks for another one. Where WeChat is
    unsure or does not answer, the name is taken, and ``name_review`` says that the community still looks at it.
    """
    home = _home_in(sent)  # first, for WeChat's answers are counted
    opinion = _opinion_of_name(sent)
    session = db.session()
    account().lock()  # the form sent twice makes one resident
    if "consent" in sent:
        agree(session, account(), version=sent["consent"]["version"], channel=ConsentChannel.MINI_PROGRAM)
        session.flush()
    must_have_agreed(session, account())
    resident = introduce(
        session,
        account(),
        Profile(
            name=sent.get("name"),
            home_community=home,
            birth_year=sent.get("birth_year"),
            phone=sent.get("phone"),
            elder_mode=sent.get("elder_mode"),
        ),
    )
    enter(
        session,
        "resident.introduced",
        resident,
        by_account_id=account().id,
        identity=caller().identity,
        details={"fields": sorted(sent)},
    )
    if opinion is not None:
        opinion.write_down(key=resident.key, account_id=account().id, resident_id=resident.id)
    return _me(session, account())


@door.post("/me/phone", asks_wechat=True, rate=RateName.PHONE)
@door.takes(PhoneIn)
@door.gives(MeOut, refuses=(409, 422))
def tell_my_phone(sent: dict[str, Any]) -> dict[str, Any]:
    """绑定手机号

    Either the ``code`` of WeChat's phone button (the number is then verified) or ``phone`` typed by hand (kept as unverified).
    """
    must_have_agreed(db.session(), account())
    openid = caller().openid
    with between_transactions():
        phone = _vouched_for(sent["code"], openid) if "code" in sent else sent["phone"]
    verified = "code" in sent
    session = db.session()
    account().lock()
    resident = introduce(session, account(), Profile())
    resident.take_phone(phone, verified=verified)
    session.flush()
    enter(
        session,
        "resident.phone_bound",
        resident,
        by_account_id=account().id,
        identity=caller().identity,
        details={"verified": verified},
    )
    return _me(session, account())


@door.get("/privacy-policy", needs=Needs.NOTHING, kept=True)
@door.gives(PrivacyPolicyOut)
def show_privacy_policy() -> dict[str, Any]:
    """隐私政策

    The text in force; send its ``version`` as consent.
    """
    return {"version": PRIVACY_POLICY.version, "sha256": PRIVACY_POLICY.sha256, "text": PRIVACY_POLICY.text}


def _home_in(sent: dict[str, Any]) -> Region | None:
    if "home_community" not in sent:
        return None
    with named_in("home_community"):
        return region_by_key(db.session(), sent["home_community"])


def _opinion_of_name(sent: dict[str, Any]) -> Opinion | None:
    """WeChat's word on a name, if it is a new one; nothing is asked about somebody who has not agreed to what is kept of them."""
    session, name = db.session(), sent.get("name")
    resident = resident_of(session, account())
    agrees = sent.get("consent", {}).get("version") == PRIVACY_POLICY.version
    if (
        name is None
        or (resident is not None and resident.name == name)
        or not (agrees or consent_in_force(session, account()))
    ):
        begin_writing()
        return None
    return checked(name, RESIDENT_NAME, scene=Scene.PROFILE)


def _vouched_for(code: str, openid: str) -> str:
    return wechat_gateway().phone_number(code, openid=openid)


def _me(session: Session, who: Account) -> dict[str, Any]:
    resident = resident_of(session, who)
    consent = consent_in_force(session, who)
    return {
        "key": resident and resident.key,
        "name": resident and resident.name,
        "name_review": _name_review(session, resident) if resident else None,
        "phone": masked_phone(resident.phone if resident else None),
        "phone_verified": bool(resident and resident.phone_verified_at),
        "home_community": resident and resident.home_region,
        "birth_year": resident and resident.birth_year,
        "elder_mode": bool(resident and resident.elder_mode),
        "consent": consent,
        "consent_version": PRIVACY_POLICY.version,
        "missing": missing_of(resident, has_agreed=consent is not None),
        "identities": _identities(session, who),
        "wards": [_ward(bond) for bond in bonds_of(session, resident)] if resident else [],
    }


def _name_review(session: Session, resident: Resident) -> dict[str, Any] | None:
    """What the person has to know of the check of their name: that somebody still looks at it, or why they are asked anew."""
    check = review_of(session, RESIDENT_NAME, resident.key)
    if check is None or check.state not in (CheckState.WAITING, CheckState.REJECTED):
        return None
    if (check.state is CheckState.WAITING) is (resident.name is None):
        return None
    return {"state": check.state, "reason": check.reason}


def _identities(session: Session, who: Account) -> list[dict[str, Any]]:
    staff = [staff_identity(session, member) for member in staff_members_of(session, who)]
    units = [
        {"identity": f"partner:{unit.key}", "name": unit.name, "roles": [], "state": unit.standing}
        for unit in partners_of(session, who)
    ]
    return staff + units


def _ward(bond: Bond) -> dict[str, Any]:
    ward = bond.ward
    return {"key": ward.key, "name": ward.name, "kind": bond.kind, "birth_year": ward.birth_year}
