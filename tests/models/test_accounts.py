"""WeChat accounts, and the logins they have open with us."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import clock as town_clock
from models.accounts import (
    LOGIN_DAYS,
    Account,
    Login,
    TokenMint,
    account_behind,
    forget_ended_logins,
    open_login,
    revoke_login,
    welcome,
)
from models.base import reading, transaction
from models.errors import Unauthenticated
from tests.people import Town, an_account


def test_the_first_visit_makes_an_account_and_the_second_finds_it(context: Flask) -> None:
    with transaction() as session:
        first = welcome(session, openid="o-1")
        again = welcome(session, openid="o-1", unionid="u-1")
        assert again is first
        assert welcome(session, openid="o-1").unionid == "u-1"
    with reading() as session:
        assert len(session.scalars(select(Account)).all()) == 1


def test_a_login_stands_for_its_account_until_it_expires(
    context: Flask, clock: town_clock.StoppedClock
) -> None:
    with transaction() as session:
        account, login_key = an_account(session)
        assert account_behind(session, login_key) is account
    clock.advance(days=LOGIN_DAYS)
    with reading() as session, pytest.raises(Unauthenticated) as caught:
        account_behind(session, login_key)
    assert caught.value.code == "token_expired"


def test_logging_out_ends_one_login_and_twice_is_fine(context: Flask, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        account, login_key = an_account(session)
        other = open_login(session, account)
        revoke_login(session, login_key)
        revoke_login(session, login_key)
        assert account_behind(session, other.key) is account
        for key in (login_key, "nologin", "\x00"):
            with pytest.raises(Unauthenticated) as caught:
                account_behind(session, key)
            assert caught.value.code == "token_revoked"


def test_logins_are_forgotten_a_month_after_their_end(town: Town, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        revoke_login(session, town.resident.login_key)
        everybody = len(session.scalars(select(Login)).all())
    clock.advance(days=31)
    with transaction() as session:
        assert forget_ended_logins(session, before=town_clock.now()) == 1
        assert forget_ended_logins(session, before=town_clock.now()) == 0
        left = session.scalars(select(Login)).all()
    assert len(left) == everybody - 1


# --- tokens -------------------------------------------------------------------------------------------------------

NEW, OLD = "a-new-secret-of-at-least-32-characters", "an-old-secret-of-at-least-32-characters"


def test_a_token_carries_its_login() -> None:
    mint = TokenMint([NEW])
    token = mint.token_for(Login(key="abcdefghij234567"))
    assert mint.login_key(token) == "abcdefghij234567"
    assert mint.login_key(token) == "abcdefghij234567"


def test_an_old_secret_still_opens_and_the_new_one_signs() -> None:
    login = Login(key="abcdefghij234567")
    assert TokenMint([NEW, OLD]).login_key(TokenMint([OLD]).token_for(login)) == login.key
    assert TokenMint([NEW, OLD]).token_for(login) == TokenMint([NEW]).token_for(login)
    with pytest.raises(Unauthenticated):
        TokenMint([NEW]).login_key(TokenMint([OLD]).token_for(login))


@pytest.mark.parametrize(
    "token", ["", ".", "abcdefghij234567", "abc.def", "家门口.家门口", "\ud800.x", "a" * 9999]
)
def test_a_forged_token_is_nobody(token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        TokenMint([NEW]).login_key(token)
    assert caught.value.code == "token_invalid"


def test_a_token_with_signs_strewn_into_it_is_nobody_and_nothing_remembers_it() -> None:
    """base64 skips what is none of its letters: one good token would have as many spellings as one likes."""
    mint = TokenMint([NEW])
    token = mint.token_for(Login(key="abcdefghij234567"))
    for other in (f"{token}!", f"{token}{'~' * 7000}", f"{token[:20]}*{token[20:]}", f"{token}="):
        with pytest.raises(Unauthenticated) as caught:
            mint.login_key(other)
        assert caught.value.code == "token_invalid"


def test_a_token_with_one_letter_changed_is_nobody() -> None:
    mint = TokenMint([NEW])
    token = mint.token_for(Login(key="abcdefghij234567"))
    with pytest.raises(Unauthenticated):
        mint.login_key("b" + token[1:])


def test_ninety_days_are_counted_from_the_login(context: Flask, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        _, login_key = an_account(session)
        login = session.scalars(select(Login).where(Login.key == login_key)).one()
    assert login.expires_at - login.created_at == timedelta(days=LOGIN_DAYS)
