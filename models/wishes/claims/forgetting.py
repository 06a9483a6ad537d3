"""Forgetting (遗忘): what people said about a claim goes with the words of the wish it is about; that it was, stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from models.accounts import Account
from models.journal import enter
from models.wishes.claims.rows import Claim, ClaimHelper, Fulfilment, Rating
from models.wishes.rows import Wish


def strike_claims_on(session: Session, wishes: Collection[int]) -> None:
    """Strike what was promised, noted, said and rated in words about these wishes."""
    about = select(Claim.id).where(Claim.wish_id.in_(wishes))
    session.execute(
        update(Claim)
        .where(Claim.wish_id.in_(wishes))
        .values(plan="", extended_because="", because="", code=None)
    )
    session.execute(update(Fulfilment).where(Fulfilment.claim_id.in_(about)).values(note="", verdict=""))
    session.execute(update(Rating).where(Rating.claim_id.in_(about)).values(words=None, care_note=""))


def strike_plan(session: Session, key: str, written: str | None) -> None:
    """A plan may not stay as it was written; the community reads that it is to be asked for anew."""
    claim = _strike(session, key, "plan", written)
    if claim is not None:
        enter(session, "claim.plan_struck", claim)
        session.flush()


def strike_reason(session: Session, key: str, written: str | None) -> None:
    """Why a unit gave a claim back, or did not accept it, may not stay as it was written; that it did stays."""
    _strike_words(session, key, "because", written)


def strike_extension_reason(session: Session, key: str, written: str | None) -> None:
    """Why a unit takes longer may not stay as it was written; the new day does."""
    _strike_words(session, key, "extended_because", written)


def strike_note(session: Session, key: str, written: str | None) -> None:
    """What a unit noted of its delivery (by that one's key) may not stay as it was written; that it delivered stays."""
    said = session.scalar(select(Fulfilment).where(Fulfilment.key == key))
    if said is None:
        return
    said.claim.lock()
    if said.lock().note and (written is None or said.note == written):
        said.note = ""
        enter(session, "claim.words_struck", said.claim)
        session.flush()


def _strike_words(session: Session, key: str, column: str, written: str | None) -> None:
    claim = _strike(session, key, column, written)
    if claim is not None:
        enter(session, "claim.words_struck", claim)
        session.flush()


def _strike(session: Session, key: str, column: str, written: str | None) -> Claim | None:
    """Strike what was written in a column, if it still stands there; the claim of which it was struck."""
    claim = session.scalar(select(Claim).where(Claim.key == key))
    if claim is None:
        return None
    claim.lock()
    if written is not None and getattr(claim, column) != written:
        return None
    setattr(claim, column, "")
    return claim


def claims_kept_of(session: Session, account: Account) -> Sequence[Claim]:
    """Every claim an account leads or led last, or helps with, oldest first."""
    helps = select(ClaimHelper.claim_id).where(ClaimHelper.account_id == account.id)
    return session.scalars(
        select(Claim)
        .options(
            joinedload(Claim.wish).joinedload(Wish.region),
            joinedload(Claim.partner),
            joinedload(Claim.rating),
        )
        .where(or_(Claim.lead_account_id == account.id, Claim.id.in_(helps)))
        .order_by(Claim.id)
    ).all()
