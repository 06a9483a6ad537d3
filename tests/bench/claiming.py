"""The storm on one wish (P20): two hundred units want it; one has it, and every other is told so, with others that hang there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from models import clock
from models.accounts import Account
from models.base import transaction
from models.partners import Partner, PartnerKind, PartnerMember, PartnerState
from models.partners.pairings import Pairing, PairingState
from models.wishes import Wish, WishState
from models.wishes.claims import WISH_PROMISE, Claim, WishPart
from tests.bench import storm
from tests.bench.phones import Outcome
from tests.bench.town import BenchTown, openid_of, take_statistics
from tests.bench.walls import hang_wishes

HANGING = 100
A_DAY = timedelta(days=1)


class WantedWish:
    """One wish of a wall, and the units that want it: unit n acts with the login of resident n."""

    def __init__(self, town: BenchTown, units: int) -> None:
        self.town = town
        hang_wishes(town, HANGING)
        with town.app.app_context(), transaction() as session:
            here = Wish.region_id == town.community_id
            wish = session.scalars(select(Wish).where(here).order_by(Wish.id).limit(1)).one()
            self.wish_id, self.key = wish.id, wish.key
            openids = [openid_of(number) for number in range(units)]
            accounts = session.scalars(
                select(Account).where(Account.openid.in_(openids)).order_by(Account.openid)
            ).all()
            today, self.units = clock.today(), []
            for number, account in enumerate(accounts):
                unit = Partner(
                    name=f"{number}号单位",
                    kind=PartnerKind.UNIT,
                    state=PartnerState.ACTIVE,
                    region_id=town.community_id,
                    renewed_until=today + 365 * A_DAY,
                )
                session.add(unit)
                session.flush()
                session.add(PartnerMember(partner_id=unit.id, account_id=account.id, is_manager=True))
                session.add(
                    Pairing(
                        partner_id=unit.id,
                        region_id=town.community_id,
                        state=PairingState.ACTIVE,
                        since=clock.now(),
                    )
                )
                self.units.append(unit.key)
        take_statistics(town.engine)

    def requests(self, order: Sequence[int]) -> list[bytes]:
        """What each unit sends."""
        body = {
            "plan": "周末两个人上门",
            "promised_on": (clock.today() + 7 * A_DAY).isoformat(),
            "promise": WISH_PROMISE.version,
        }
        path, sent = f"/api/v1/partner/wishes/{self.key}/claim", json.dumps(body).encode()
        return [
            storm.request(
                "PUT", path, self.town.tokens[who], body=sent, identity=f"partner:{self.units[who]}"
            )
            for who in order
        ]

    def faults_after(self, order: Sequence[int], outcome: Outcome) -> list[str]:
        """What is not as it must be: one claim, whose unit hears it as often as it asked, and other wishes for every other unit."""
        with self.town.app.app_context(), transaction() as session:
            claims = session.scalars(select(Claim).where(Claim.wish_id == self.wish_id)).all()
            held = session.scalars(
                select(WishPart).where(WishPart.wish_id == self.wish_id, WishPart.is_held)
            ).all()
            state = session.get_one(Wish, self.wish_id).state
        faults: list[str] = []
        if len(claims) != 1 or len(held) != 1 or state is not WishState.CLAIMED:
            faults.append(f"{len(claims)} claims, {len(held)} pieces held, the wish is {state}")
        winners = {who for who, answer in zip(order, outcome.answers, strict=True) if answer.status == 200}
        if len(winners) != 1:
            faults.append(f"{len(winners)} units were told they have it")
        said = Counter(
            _heard(answer.status, answer.body, who in winners)
            for who, answer in zip(order, outcome.answers, strict=True)
        )
        return faults + [f"{times} heard: {what}" for what, times in said.items() if what]

    def let_go(self) -> None:
        """The wish hangs again, as if nobody had come."""
        with self.town.engine.execution_options(writes=True).begin() as connection:
            connection.execute(delete(WishPart).where(WishPart.wish_id == self.wish_id))
            connection.execute(delete(Claim).where(Claim.wish_id == self.wish_id))
            connection.execute(
                update(Wish)
                .where(Wish.id == self.wish_id)
                .values(state=WishState.PUBLISHED, parts_taken=0, due_at=clock.now() + 15 * A_DAY)
            )


def _heard(status: int, body: bytes, has_it: bool) -> str:
    """What is wrong with an answer; nothing where it is right."""
    if has_it:
        return "" if status == 200 else f"the unit that has it was answered {status}"
    if status != 409:
        return f"{status}: {body[:120]!r}"
    told = json.loads(body)
    if told["code"] != "wish_taken" or not told.get("details", {}).get("others"):
        return f"{told['code']} without others"
    return ""
