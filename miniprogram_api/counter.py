"""The counter (柜台): people without WeChat are entered, found and agree on paper with those who work for their community."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from miniprogram_api.edge import Door, account, named_in, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.counter import (
    CorrectionIn,
    EnteredResidentOut,
    EnterResidentIn,
    FoundResidentsOut,
    LookForIn,
    NewHomeIn,
    SignedConsentIn,
)
from models.base import db
from models.counter import (
    Card,
    Clues,
    Correction,
    PeopleScope,
    agreed_among,
    correct_resident,
    enter_resident,
    look_for,
    move_at_counter,
    people_scope,
    resident_within,
    take_consent,
    take_consent_back,
)
from models.departures import see_off
from models.regions import region_by_key
from models.residents import Bond, Resident

door = Door("counter", description="柜台与上门登记")


class Entered(NamedTuple):
    """A person, whether an agreement stands for them, and their bonds where they are shown."""

    resident: Resident
    has_agreed: bool
    bonds: Sequence[Bond] = ()

    @property
    def has_wechat(self) -> bool:
        """Whether they have a WeChat of their own here."""
        return self.resident.account_id is not None


@door.post("/staff/residents", rate=RateName.COUNTER)
@door.takes(EnterResidentIn)
@door.gives(EnteredResidentOut, 201)
def enter_at_the_counter(sent: dict[str, Any]) -> Entered:
    """登记居民（工作人员）

    Enter somebody who has no WeChat, with the privacy policy they signed on paper; of those under eighteen the guardian signs. For
    administrators, clerks and grid workers of the home community. Send an ``Idempotency-Key``. 409 ``resident_exists`` gives the key of
    the same person in ``details.resident``: same name and phone, or without a phone same name and year of birth, which ``even_so`` enters
    all the same.
    """
    session, scope = db.session(), scope_of_hat()
    with named_in("home_community"):
        home = region_by_key(session, sent["home_community"])
        resident = enter_resident(
            session,
            Card(sent["name"], sent["birth_year"], home, sent.get("phone")),
            scope=scope,
            consent_version=sent["consent"]["version"],
            given_by=sent["consent"]["given_by"],
            by=staff_hat(),
            even_so=sent["even_so"],
        )
    return _shown([resident])[0]


@door.post("/staff/residents/search", rate=RateName.COUNTER)
@door.takes(LookForIn)
@door.gives(FoundResidentsOut)
def look_for_resident(sent: dict[str, Any]) -> dict[str, Any]:
    """查找居民（工作人员）

    By the whole phone number or the whole name, among the people of the communities one works for; twenty at most, masked. Everybody
    found is told so in the journal, with the purpose.
    """
    clues = Clues(sent.get("phone"), sent.get("name"), sent.get("birth_year"))
    found = look_for(db.session(), clues, scope=scope_of_hat(), purpose=sent["purpose"], by=staff_hat())
    return {"items": _shown(found)}


@door.put("/staff/residents/<key:key>", rate=RateName.COUNTER)
@door.takes(CorrectionIn)
@door.gives(EnteredResidentOut, refuses=(409, 422))
def correct_somebody(sent: dict[str, Any], key: str) -> Entered:
    """更正登记（工作人员）

    What was entered wrong of somebody without WeChat; what is left out stays as it is. Of somebody under age who has one the year of
    birth alone: 409 ``tells_themselves`` for anything else. Guardians act until the child is of age by the new year.
    """
    session, resident = db.session(), resident_at_the_counter(key)
    correct_resident(session, resident, Correction(**sent), by=staff_hat())
    return _shown([resident])[0]


@door.put("/staff/residents/<key:key>/consent", rate=RateName.COUNTER)
@door.takes(SignedConsentIn)
@door.gives(EnteredResidentOut, refuses=(409, 422))
def take_signed_consent(sent: dict[str, Any], key: str) -> Entered:
    """登记线下同意（工作人员）

    The privacy policy in force was signed on paper: by the person, or by the guardian of somebody under eighteen. Twice is fine.
    """
    session, resident = db.session(), resident_at_the_counter(key)
    take_consent(session, resident, version=sent["version"], given_by=sent["given_by"], by=staff_hat())
    return _shown([resident])[0]


@door.delete("/staff/residents/<key:key>/consent", rate=RateName.COUNTER)
@door.gives(EnteredResidentOut)
def take_signed_consent_back(key: str) -> Entered:
    """登记线下撤回同意（工作人员）

    What was signed on paper is taken back: nothing new is registered for them until it is signed again. What they hold stays. An
    agreement given in the mini-program is only theirs to take back. Twice is fine.
    """
    session, resident = db.session(), resident_at_the_counter(key)
    take_consent_back(session, resident, by=staff_hat())
    return _shown([resident])[0]


@door.put("/staff/residents/<key:key>/home", rate=RateName.COUNTER)
@door.takes(NewHomeIn)
@door.gives(EnteredResidentOut, refuses=(409, 422))
def move_somebody(sent: dict[str, Any], key: str) -> Entered:
    """登记搬家（工作人员）

    Somebody without WeChat lives in another community now; whoever works there looks after them from now on. Seats they have stay.
    """
    session, resident = db.session(), resident_at_the_counter(key)
    with named_in("home_community"):
        home = region_by_key(session, sent["home_community"])
    move_at_counter(session, resident, home, by=staff_hat())
    return _shown([resident])[0]


@door.delete("/staff/residents/<key:key>", rate=RateName.COUNTER)
@door.gives(None, 204, refuses=(409,))
def see_somebody_off(key: str) -> None:
    """登记注销（工作人员）

    Somebody without WeChat leaves for good, because they ask for it, moved away or are no more: seats and rooms they hold go on to who waits,
    who acted for them does so no longer, and nothing kept says whose it was. It cannot be undone, and nobody is told. For administrators and
    clerks; anybody else does not find them. 409 ``closes_themselves`` for who has a WeChat here.
    """
    session, member = db.session(), staff_hat()
    office = PeopleScope(people_scope(session, member).places)
    see_off(
        session,
        resident_within(session, office, key),
        by_account_id=account().id,
        identity=member.identity,
    )


def _shown(residents: Sequence[Resident]) -> list[Entered]:
    agreed = agreed_among(db.session(), residents)
    return [Entered(resident, resident.id in agreed) for resident in residents]


def resident_at_the_counter(key: str) -> Resident:
    """The person with this key, if the staff member who asks looks after them. Raises NotFound."""
    return resident_within(db.session(), scope_of_hat(), key)


def scope_of_hat() -> PeopleScope:
    """Whose people the staff member who asks looks after."""
    return people_scope(db.session(), staff_hat())
