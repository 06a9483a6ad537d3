"""The value rules of every keyword type (wechat.md §4.2), straight at the rule."""

from __future__ import annotations

import pytest

from server.wechat_sandbox.keywords import fits

FITTING = [
    ("thing", "八段锦入门（第一期）A-1"),
    ("thing", "二十个字二十个字二十个字二十个字二十个字"),
    ("thing", "𠮷野家旁的驿站"),
    ("number", "12345678901234567890123456789012"),
    ("number", "3.14"),
    ("letter", "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf"),
    ("symbol", "※★！?~"),
    ("character_string", "A-102 #7"),
    ("time", "15:01"),
    ("time", "15:01:59"),
    ("time", "2019年10月1日 15:01"),
    ("time", "2026年12月3日 18:00~19:30"),
    ("time", "2026-12-03 18:00"),
    ("date", "2019年10月1日"),
    ("date", "2019年10月1日 15:01"),
    ("date", "2019年10月1日~2019年10月7日"),
    ("date", "2019年10月"),
    ("date", "2月29日"),
    ("date", "2018-01-01"),
    ("date", "2018/01/01"),
    ("date", "2018.01.01"),
    ("date", "2018-01"),
    ("date", "01-01"),
    ("amount", "￥100"),
    ("amount", "12.5元"),
    ("amount", "¥1234567890.55"),
    ("phone_number", "+86-0766-66888866"),
    ("car_number", "粤A8Z888挂"),
    ("car_number", "沪A12345"),
    ("name", "欧阳娜娜"),
    ("name", "十个汉字十个汉字十个"),
    ("name", "Li Wei·Wang"),
    ("name", "王A小B"),
    ("phrase", "报名成功"),
    ("phrase", "五个字的话"),
]

REFUSED = [
    ("thing", "二十一个字二十一个字二十一个字二十一个字二"),
    ("thing", "第一行\n第二行"),
    ("thing", "制表\t符"),
    ("thing", "加油💪"),
    ("thing", "零宽\u200b字符"),
    ("thing", ""),
    ("thing", "   "),
    ("number", "123456789012345678901234567890123"),
    ("number", "3."),
    ("number", "-3"),
    ("number", "１２"),
    ("number", "三"),
    ("letter", "abc1"),
    ("letter", "a" * 33),
    ("letter", "é"),
    ("symbol", "！！！！！！"),
    ("symbol", "a"),
    ("character_string", "A栋102"),
    ("character_string", "x" * 33),
    ("time", "24:00"),
    ("time", "9点"),
    ("time", "2026年12月3日"),
    ("time", "15:01～16:01"),
    ("time", "15:01~16:01~17:01"),
    ("time", "2026年2月30日 15:01"),
    ("time", "15:60"),
    ("date", "15:01"),
    ("date", "2026年13月1日"),
    ("date", "2026-02-30"),
    ("date", "2018-01/01"),
    ("date", "12月3日（周四）"),
    ("date", "2019年10月1日～2019年10月7日"),
    ("amount", "12345678901"),
    ("amount", "免费"),
    ("amount", "￥￥1"),
    ("phone_number", "123456789012345678"),
    ("phone_number", "电话123"),
    ("car_number", "粤A中8888"),
    ("car_number", "粤A12345678"),
    ("name", "十一个汉字十一个汉字十"),
    ("name", "a" * 21),
    ("name", "王3"),
    ("phrase", "六个字的话语"),
    ("phrase", "成功1"),
    ("phrase", "成功！"),
    ("phrase", "OK"),
]


@pytest.mark.parametrize(("kind", "value"), FITTING)
def test_a_fitting_value_passes(kind: str, value: str) -> None:
    assert fits(kind, value)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_an_unfit_value_is_refused(kind: str, value: str) -> None:
    assert not fits(kind, value)


def test_an_enum_takes_only_its_own_values() -> None:
    assert fits("enum_string", "线下", choices=("线下", "线上"))
    assert not fits("enum_string", "空中", choices=("线下", "线上"))
