"""Correcting (更正): what was entered wrong of somebody who cannot mend it on a phone of their own (个保法 art. 46)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from models.errors import Conflict
from models.journal import enter
from models.residents import Resident, is_minor, renew_guardianships
from models.staff import StaffMember


@dataclass(frozen=True)
class Correction:
    """What is so instead; ``None`` leaves it as it is."""

    name: str | None = None
    phone: str | None = None
    birth_year: int | None = None

    @property
    def fields(self) -> set[str]:
        """What it corrects."""
        return {field for field, right in asdict(self).items() if right is not None}


def correct_resident(
    session: Session, resident: Resident, correction: Correction, *, by: StaffMember
) -> None:
    """Write down what is so of somebody without WeChat; to correct nothing changes nothing. Guardians act until the child is of age by the new year of birth.

    Of somebody under age who has a WeChat it is the year of birth alone, which their guardian told. Raises Conflict
    ``tells_themselves`` for anything else of who has one, and Invalid for a year that cannot be.
    """
    if not correction.fields:
        return
    resident.lock()
    is_told_by_guardian = correction.fields <= {"birth_year"} and is_minor(resident.birth_year)
    if resident.account_id is not None and not is_told_by_guardian:
        raise Conflict("tells_themselves", "这位居民有自己的微信账号，请由本人在小程序“我的”页面更正")
    if correction.name is not None:
        resident.name = correction.name
    if correction.phone is not None:
        resident.take_phone(correction.phone, verified=False)
    if correction.birth_year is not None:
        resident.tell_birth_year(correction.birth_year)
        renew_guardianships(session, resident, by_account_id=by.account_id, identity=by.identity)
    enter(
        session,
        "resident.corrected",
        resident,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=resident.id,
        details={"fields": sorted(correction.fields)},
    )
    session.flush()
