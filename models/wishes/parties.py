"""Who acts upon a wish (谁办理), and how the community heard of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.accounts import Account
from models.errors import Forbidden
from models.residents import resident_of
from models.wishes.households import household_of
from models.wishes.rows import Wish, WishSource


@dataclass(frozen=True)
class By:
    """Who acts, in which hat. ``source``: through which door what they bring came."""

    account_id: int | None = None
    identity: str = "town"
    source: WishSource = WishSource.ONLINE

    @property
    def is_staff(self) -> bool:
        """Whether they act as somebody who works here."""
        return self.identity.startswith("staff:")

    def of(self, wish: Wish) -> dict[str, Any]:
        """Who acts upon a wish, as the journal takes it, and for whom where that is somebody else."""
        own = wish.resident.account_id if wish.resident else None
        return {
            "by_account_id": self.account_id,
            "identity": self.identity,
            "for_resident_id": wish.resident_id
            if self.account_id is None or self.account_id != own
            else None,
        }


def must_not_be_of_the_household(session: Session, wish: Wish, by: By) -> None:
    """Raise Forbidden ``own_content`` for somebody who works here and decides about a wish of their own household."""
    if is_of_the_household(session, wish, by.account_id):
        raise Forbidden("own_content", "这是您自己或家人的心愿，请由其他工作人员办理")


def is_of_the_household(session: Session, wish: Wish, account_id: int | None) -> bool:
    """Whether an account is somebody of the household that wished."""
    account = session.get(Account, account_id) if account_id is not None else None
    oneself = resident_of(session, account) if account is not None else None
    return oneself is not None and wish.resident_id in household_of(session, oneself)
