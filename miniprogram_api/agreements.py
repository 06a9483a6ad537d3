"""Space for service (场地换服务): agreements as the office makes them, and as the unit sees its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in, partner_hat
from miniprogram_api.office import hat, office_places, venue_of_office
from miniprogram_api.schemas.agreements import (
    AgreementIn,
    AgreementOut,
    AgreementPlanOut,
    AgreementReasonIn,
    AgreementsOut,
    AgreementsQuery,
    CommencementIn,
    DeliveriesOut,
    DeliveriesQuery,
    DeliveryIn,
    DeliveryOut,
    PartnerAgreementsOut,
    TermsIn,
)
from models import clock
from models.agreements import (
    Block,
    Figures,
    Record,
    ServiceAgreement,
    ServiceDelivery,
    Terms,
    agreement_of_partner,
    agreement_within,
    agreements_of_partner,
    agreements_within,
    confirm_delivery,
    decline_delivery,
    deliveries_of,
    delivery_within,
    draft_agreement,
    end_agreement,
    figures_of,
    look,
    put_in_force,
    record_delivery,
)
from models.base import db
from models.partners import partner_within

door = Door("agreements", description="场地换服务")


class Stands(NamedTuple):
    """An agreement, and how it stands today."""

    agreement: ServiceAgreement
    figures: Figures


@door.post("/staff/service-agreements/preview")
@door.takes(TermsIn)
@door.gives(AgreementPlanOut, refuses=(409, 422))
def look_at_agreement(sent: dict[str, Any]) -> dict[str, Any]:
    """试排场地换服务

    Every block of every day the agreement would hold, by the calendar, and who has the room already; nothing is written.
    409 ``agreement_unfit`` names every field that cannot be.
    """
    days = look(db.session(), venue_of_office(sent["venue"]), _terms(sent))
    minutes = sum((day.ends_at - day.starts_at).total_seconds() / 60 for day in days if day.can_be_held)
    return {
        "items": days,
        "hours": round(minutes / 60, 1),
        "days_taken": sorted({day.on for day in days if day.is_taken}),
    }


@door.post("/staff/service-agreements")
@door.takes(AgreementIn)
@door.gives(AgreementOut, 201)
def draft_an_agreement(sent: dict[str, Any]) -> Stands:
    """拟定场地换服务协议

    A draft, which holds nothing yet, with a unit that serves a place one works for. Send an ``Idempotency-Key``.
    """
    venue = venue_of_office(sent["venue"])
    with named_in("partner"):
        partner = partner_within(db.session(), sent["partner"], within=office_places())
    return _stands([draft_agreement(db.session(), partner, venue, _terms(sent), **hat())])[0]


@door.put("/staff/service-agreements/<key:key>/commencement")
@door.takes(CommencementIn)
@door.gives(AgreementOut, refuses=(409, 422))
def put_agreement_in_force(sent: dict[str, Any], key: str) -> Stands:
    """协议生效

    The room is held from now to the end of the period, all of it but the days that are left out: 409 ``room_taken`` names in
    ``details.days`` every other day on which somebody else has it. Twice is fine.
    """
    agreement = _of_office(key)
    put_in_force(db.session(), agreement, leave_out=frozenset(sent["leave_out"]), **hat())
    return _stands([agreement])[0]


@door.put("/staff/service-agreements/<key:key>/ending")
@door.takes(AgreementReasonIn)
@door.gives(AgreementOut, refuses=(409, 422))
def end_an_agreement(sent: dict[str, Any], key: str) -> Stands:
    """结束协议

    From this moment on the room is free again; what was, stays. Going on is a new agreement. Twice is fine.
    """
    agreement = _of_office(key)
    end_agreement(db.session(), agreement, sent["because"], **hat())
    return _stands([agreement])[0]


@door.get("/staff/service-agreements")
@door.takes(AgreementsQuery, location="query")
@door.gives(AgreementsOut, refuses=(422,))
def list_agreements(wanted: dict[str, Any]) -> dict[str, Any]:
    """场地换服务协议列表

    Agreements about rooms of the places one works for, each with what was promised, delivered and confirmed, and how far it is behind.
    """
    limit = wanted["limit"]
    found = agreements_within(
        db.session(),
        office_places(),
        state=wanted.get("state"),
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    shown = page(found, limit, lambda agreement: [agreement.id])
    return {**shown, "items": _stands(shown["items"])}


@door.get("/staff/service-agreements/<key:key>")
@door.gives(AgreementOut)
def show_agreement(key: str) -> Stands:
    """场地换服务协议"""
    return _stands([_of_office(key)])[0]


@door.get("/staff/service-agreements/<key:key>/deliveries")
@door.takes(DeliveriesQuery, location="query")
@door.gives(DeliveriesOut, refuses=(422,))
def list_deliveries(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """服务记录（工作人员）

    What was written down of an agreement, by staff and by the unit.
    """
    return _deliveries(_of_office(key), wanted)


@door.post("/staff/service-agreements/<key:key>/deliveries")
@door.takes(DeliveryIn)
@door.gives(DeliveryOut, 201)
def record_a_delivery(sent: dict[str, Any], key: str) -> ServiceDelivery:
    """登记服务（工作人员）

    It counts at once. 403 ``own_content`` for a unit one acts for, which writes it down itself. Send an ``Idempotency-Key``.
    """
    return record_delivery(db.session(), _of_office(key), Record(**sent), **hat())


@door.put("/staff/service-deliveries/<key:key>/confirmation")
@door.gives(DeliveryOut, refuses=(409,))
def confirm_a_delivery(key: str) -> ServiceDelivery:
    """确认服务记录

    What the unit wrote down counts from now on. Twice is fine; 409 ``delivery_declined`` for what was declined, 403 ``own_content`` for a unit one
    acts for.
    """
    delivery = delivery_within(db.session(), key, within=office_places())
    confirm_delivery(db.session(), delivery, **hat())
    return delivery


@door.put("/staff/service-deliveries/<key:key>/declining")
@door.takes(AgreementReasonIn)
@door.gives(DeliveryOut, refuses=(409, 422))
def decline_a_delivery(sent: dict[str, Any], key: str) -> ServiceDelivery:
    """退回服务记录

    It was not so: the record stays with the reason, counts for nothing, and the unit is told. Twice is fine, the first reason stays.
    """
    delivery = delivery_within(db.session(), key, within=office_places())
    decline_delivery(db.session(), delivery, sent["because"], **hat())
    return delivery


# --- the unit -----------------------------------------------------------------------------------------------------


@door.get("/partner/service-agreements")
@door.gives(PartnerAgreementsOut)
def list_my_agreements() -> dict[str, Any]:
    """本单位的协议

    Every agreement of the unit one acts for that is more than a draft, and how it stands.
    """
    return {"items": _stands(agreements_of_partner(db.session(), partner_hat()))}


@door.get("/partner/service-agreements/<key:key>/deliveries")
@door.takes(DeliveriesQuery, location="query")
@door.gives(DeliveriesOut, refuses=(422,))
def list_my_deliveries(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """本单位的服务记录

    What was written down of an agreement, and what of it is confirmed.
    """
    return _deliveries(_of_unit(key), wanted)


@door.post("/partner/service-agreements/<key:key>/deliveries")
@door.takes(DeliveryIn)
@door.gives(DeliveryOut, 201)
def record_my_delivery(sent: dict[str, Any], key: str) -> ServiceDelivery:
    """登记本单位的服务

    It counts when the community has confirmed it. Send an ``Idempotency-Key``.
    """
    return record_delivery(db.session(), _of_unit(key), Record(**sent), **hat())


def _of_office(key: str) -> ServiceAgreement:
    return agreement_within(db.session(), key, within=office_places())


def _of_unit(key: str) -> ServiceAgreement:
    return agreement_of_partner(db.session(), key, partner_hat())


def _deliveries(agreement: ServiceAgreement, wanted: dict[str, Any]) -> dict[str, Any]:
    limit = wanted["limit"]
    found = deliveries_of(db.session(), agreement, after_id=after_id(wanted.get("cursor")), most=limit + 1)
    return page(found, limit, lambda delivery: [delivery.id])


def _stands(agreements: Sequence[ServiceAgreement]) -> list[Stands]:
    figures = figures_of(db.session(), agreements, clock.today())
    return [Stands(agreement, figures[agreement.id]) for agreement in agreements]


def _terms(sent: dict[str, Any]) -> Terms:
    return Terms(
        starts_on=sent["starts_on"],
        ends_on=sent["ends_on"],
        blocks=[Block(**block) for block in sent["blocks"]],
        service=sent["service"],
        promised_hours=sent["promised_hours"],
        on_holidays=sent["on_holidays"],
    )
