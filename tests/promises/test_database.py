"""What the database promises: its migrations, its guards, who may write, who may lock, what it refuses to store."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import DateTime, Enum, String, Text, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from models import clock, registry
from models.base import (
    Base,
    EncryptedText,
    PlainText,
    PublicKey,
    UtcDateTime,
    db,
    reading,
    transaction,
    writer,
)
from models.courses import CourseRun
from models.journal import JournalEntry, enter
from models.occupancy import Occupancy
from models.partners import Partner, PartnerMember
from models.regions import Region, RegionKind, plant
from models.reservations import Reservation, ReservationState, ReservedFor
from models.residents import Resident
from models.wishes import Wish, WishKind, WishPhoto, WishSource, add_photo, make_wish
from models.wishes.claims import Claim, ClaimState, Level, Rating, SettledBy
from server.app import create_app
from tests.conftest import settings_for
from tests.people import FIRST_EVENING, Town, a_member_of, a_resident, a_unit, a_venue
from tests.wishes import TAP, by_resident

REPOSITORY = Path(__file__).parents[2]
PENDING = ReservationState.PENDING
SOURCES = ("models", "miniprogram_api", "server")

# --- migrations ---------------------------------------------------------------------------------------------------


@contextmanager
def an_empty_database(url: str) -> Iterator[Flask]:
    """The application on a database nobody has migrated yet, its context open."""
    app = create_app(settings_for(url))
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def tables() -> set[str]:
    """The tables there are, besides Alembic's own."""
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_migrations_go_up_and_down_and_up(engine_name: str, own_database: Callable[[str, str], str]) -> None:
    with an_empty_database(own_database(engine_name, "up_and_down")):
        flask_migrate.upgrade()
        at_head = tables()
        assert at_head == set(db.metadata.tables)
        flask_migrate.downgrade(revision="base")
        assert tables() == set()
        flask_migrate.upgrade()
        assert tables() == at_head


def test_a_town_with_people_in_it_comes_through_whole(
    engine_name: str, own_database: Callable[[str, str], str]
) -> None:
    """SQLite makes tables anew that others point at: units with members, wishes with pictures."""
    kept: tuple[type[Base], ...] = (Region, Partner, PartnerMember, Resident, Wish, WishPhoto, JournalEntry)
    with an_empty_database(own_database(engine_name, "with_people")):
        flask_migrate.upgrade()
        with transaction() as session:
            place = plant(session, kind=RegionKind.COMMUNITY, code="990101001001", name="梧桐里社区")
            unit = a_unit(session, place)
            a_member_of(session, unit)
            who = a_resident(session, place)
            wish = make_wish(session, who.resident(session), TAP, by=by_resident(who))
            size = {"width": 8, "height": 6}
            add_photo(session, wish, file="a" * 16, thumbnail="b" * 16, **size, by=by_resident(who))
        with reading() as session:
            before = {table: session.scalars(select(table.id).order_by(table.id)).all() for table in kept}
        flask_migrate.downgrade(revision="0042")
        flask_migrate.upgrade()
        with reading() as session:
            assert {
                table: session.scalars(select(table.id).order_by(table.id)).all() for table in kept
            } == before
        assert all(before.values())


def test_what_waited_for_review_before_that_was_kept_has_waited_since_it_was_its_persons(
    engine_name: str, own_database: Callable[[str, str], str]
) -> None:
    """Since it was reserved; what was waited for first, since it was accepted (0051)."""
    earlier, accepted = (datetime(2026, 11, day, 4, tzinfo=UTC) for day in (18, 20))
    with an_empty_database(own_database(engine_name, "when_review_began")):
        flask_migrate.upgrade()
        with transaction() as session:
            place = plant(session, kind=RegionKind.COMMUNITY, code="990101001001", name="梧桐里社区")
            room = a_venue(session, place)
            rows = [
                Reservation(
                    venue=room,
                    state=state,
                    starts_at=FIRST_EVENING + timedelta(hours=number),
                    ends_at=FIRST_EVENING + timedelta(hours=number + 1),
                    wanted_for=ReservedFor.READING,
                    headcount=1,
                    reserved_at=earlier,
                )
                for number, state in enumerate([PENDING, PENDING, ReservationState.APPROVED])
            ]
            session.add_all(rows)
            session.flush()
            with clock.stopped_at(accepted):
                enter(session, "reservation.accepted", rows[1])
                session.flush()
        flask_migrate.downgrade(revision="0050")
        flask_migrate.upgrade()
        with reading() as session:
            kept = session.scalars(select(Reservation.review_began_at).order_by(Reservation.id)).all()
        assert kept == [earlier, accepted, None]


def test_what_hung_before_that_was_kept_hung_first_when_the_journal_says_so(
    engine_name: str, own_database: Callable[[str, str], str]
) -> None:
    """Or, where it says nothing, when it was hung last; and who is unhappy already is not forgotten (0054)."""
    first, again = (datetime(2026, 11, day, 4, tzinfo=UTC) for day in (18, 20))
    with an_empty_database(own_database(engine_name, "first_hung")):
        flask_migrate.upgrade()
        with transaction() as session:
            place = plant(session, kind=RegionKind.COMMUNITY, code="990101001001", name="梧桐里社区")
            rows = [
                Wish(
                    region=place,
                    number=number + 1,
                    source=WishSource.ONLINE,
                    kind=WishKind.SERVICE,
                    words="想学用手机",
                    published_at=published_at,
                    turn=1 if published_at else 0,
                )
                for number, published_at in enumerate([again, again, None])
            ]
            session.add_all(rows)
            session.flush()
            for moment in (first, again):
                with clock.stopped_at(moment):
                    enter(session, "wish.published", rows[0])
                    session.flush()
            claim = Claim(
                wish=rows[0], partner=a_unit(session, place), state=ClaimState.FULFILLED, claimed_at=first
            )
            session.add(
                Rating(claim=claim, level=Level.UNHAPPY, rated_by=SettledBy.RESIDENT, care_due_at=again)
            )
            session.flush()
        flask_migrate.downgrade(revision="0053")
        flask_migrate.upgrade()
        with reading() as session:
            kept = session.scalars(select(Wish.first_published_at).order_by(Wish.id)).all()
            assert session.scalars(select(Rating.care_remind_at)).one() == again
        assert kept == [first, again, None]


def test_migrations_are_numbered_one_after_the_other() -> None:
    files = sorted(path.name for path in (REPOSITORY / "models" / "migrations" / "versions").glob("*.py"))
    numbers = [f"{n:04}" for n in range(1, len(files) + 1)]
    assert [name.partition("_")[0] for name in files] == numbers
    history = ScriptDirectory(str(REPOSITORY / "models" / "migrations"))
    assert [one.revision for one in history.walk_revisions()] == numbers[::-1]


def test_migrations_match_the_models(context: Flask) -> None:
    """Whoever changes a table changes the migrations too: autogenerate finds nothing to do."""
    assert registry.courses
    with db.engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), db.metadata
        )
    assert found == [], "tables and migrations differ: make migration MESSAGE=…"


def test_the_rooms_guard_stands_in_the_catalogue(context: Flask, engine_name: str) -> None:
    """Autogenerate and batch operations lose such guards in silence."""
    catalogue = {
        "postgresql": (
            "SELECT conname FROM pg_constraint WHERE contype = 'x' "
            "UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
        ),
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    }
    with db.engine.connect() as connection:
        names = list(connection.execute(text(catalogue[engine_name])).scalars())
    assert (
        names
        == {
            "postgresql": ["ex_occupancies_no_overlap", "tr_equipment_loans_not_more_than_there_is"],
            "sqlite": [
                f"tr_{guard}_{event}"
                for guard in (
                    "equipment_loans_not_more_than_there_is",
                    "equipment_loans_within_a_day",
                    "occupancies_no_overlap",
                    "occupancies_within_a_day",
                )
                for event in ("insert", "update")
            ],
        }[engine_name]
    )


@pytest.fixture
def space_id(town: Town) -> int:
    """A piece of floor."""
    with transaction() as session:
        return a_venue(session, town.wutong).spaces[0].id


def hold(space_id: int, starts_at: datetime, ends_at: datetime) -> None:
    """Write a use of a space past every verb."""
    with writer(db.engine).begin() as connection:
        connection.execute(
            insert(Occupancy),
            {
                "space_id": space_id,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "purpose": "course_session",
                "holder_key": "holder",
            },
        )


MINUTES = timedelta(minutes=1)
DAY = timedelta(days=1)


def test_no_hold_of_a_space_is_longer_than_a_day(space_id: int) -> None:
    """Whoever looks for what stands in the way looks one day back."""
    hold(space_id, FIRST_EVENING, FIRST_EVENING + DAY)
    with pytest.raises(IntegrityError):
        hold(space_id, FIRST_EVENING + DAY, FIRST_EVENING + 2 * DAY + timedelta(seconds=1))
    with pytest.raises(IntegrityError):
        hold(space_id, FIRST_EVENING + DAY - MINUTES, FIRST_EVENING + DAY + MINUTES)


@pytest.mark.parametrize(
    ("starts", "ends"), [(0, 60), (30, 90), (-30, 30), (10, 50), (-10, 70), (59, 61), (-1, 1)]
)
def test_no_two_uses_of_a_space_overlap(space_id: int, starts: int, ends: int) -> None:
    hold(space_id, FIRST_EVENING, FIRST_EVENING + 60 * MINUTES)
    with pytest.raises(IntegrityError):
        hold(space_id, FIRST_EVENING + starts * MINUTES, FIRST_EVENING + ends * MINUTES)


def test_one_use_may_follow_another(space_id: int) -> None:
    hold(space_id, FIRST_EVENING, FIRST_EVENING + 60 * MINUTES)
    hold(space_id, FIRST_EVENING + 60 * MINUTES, FIRST_EVENING + 120 * MINUTES)
    hold(space_id, FIRST_EVENING - 60 * MINUTES, FIRST_EVENING)
    with reading() as session:
        assert len(session.scalars(select(Occupancy)).all()) == 3


def test_a_use_cannot_be_moved_onto_another(space_id: int) -> None:
    hold(space_id, FIRST_EVENING, FIRST_EVENING + 60 * MINUTES)
    hold(space_id, FIRST_EVENING + 60 * MINUTES, FIRST_EVENING + 120 * MINUTES)
    later = update(Occupancy).where(Occupancy.starts_at > FIRST_EVENING)
    with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
        connection.execute(later.values(starts_at=FIRST_EVENING + 59 * MINUTES))
    with writer(db.engine).begin() as connection:
        connection.execute(later.values(ends_at=FIRST_EVENING + 90 * MINUTES))


def test_two_uses_in_one_statement_are_looked_at_too(space_id: int) -> None:
    row = {
        "space_id": space_id,
        "starts_at": FIRST_EVENING,
        "ends_at": FIRST_EVENING + MINUTES,
        "purpose": "course_session",
        "holder_key": "holder",
    }
    with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
        connection.execute(insert(Occupancy).values([row, row]))


def test_a_use_ends_after_it_starts(space_id: int) -> None:
    with pytest.raises(IntegrityError):
        hold(space_id, FIRST_EVENING, FIRST_EVENING)


@pytest.mark.parametrize(
    "wrong", [{"seats_taken": 21}, {"seats_taken": -1}, {"waiting": -1}, {"ends_at": FIRST_EVENING}]
)
def test_a_runs_counters_stay_within_reason(town: Town, wrong: dict[str, object]) -> None:
    run = town.a_run(capacity=20)
    with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
        connection.execute(update(CourseRun).where(CourseRun.id == run.id).values(**wrong))


# --- who may write, who may lock ----------------------------------------------------------------------------------


def test_a_transaction_that_did_not_say_so_cannot_write(context: Flask) -> None:
    with pytest.raises(DBAPIError), reading() as session:
        plant(session, kind=RegionKind.CITY, code="city", name="清河")
    with reading() as session:
        assert session.scalars(select(Region)).all() == []


def test_a_reader_that_turns_writer_fails_on_a_bare_connection_too(context: Flask) -> None:
    """A deferred transaction that writes would fail only under load; here it fails always."""
    with db.engine.connect() as connection:
        from_outside = connection.execution_options(postgresql_readonly=True)
        from_outside.execute(select(Region.id))
        with pytest.raises(DBAPIError):
            from_outside.execute(insert(Region), {"kind": "city", "code": "c", "name": "n", "path": "c/"})


def test_writes_are_declared_before_the_first_query(context: Flask) -> None:
    with reading() as session:
        session.scalars(select(Region)).all()
        with pytest.raises(RuntimeError, match="before its first query"):
            session.declare_writes()  # type: ignore[attr-defined]


def test_transactions_do_not_nest(context: Flask) -> None:
    with transaction() as session:
        plant(session, kind=RegionKind.CITY, code="city", name="清河")
        with pytest.raises(RuntimeError), transaction():
            pass


def test_a_look_forgets_nothing_its_connection_has_prepared(context: Flask, engine_name: str) -> None:
    if engine_name != "postgresql":
        pytest.skip("SQLite's driver keeps them whatever a transaction ends with")
    for _ in range(6 * 8):  # psycopg prepares what comes a sixth time, and a pool's connections take turns
        with reading() as session:
            session.execute(text("SELECT 1"))
    with reading() as session:
        kept = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert "SELECT 1" in kept


def test_a_look_on_which_the_database_hangs_up_says_just_that(context: Flask, engine_name: str) -> None:
    if engine_name != "postgresql":
        pytest.skip("SQLite is in the house, and hangs up on nobody")

    def hung_up() -> None:
        with reading() as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(OperationalError):
        hung_up()
    with reading() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_deed_that_is_given_up_leaves_nothing_though_looks_end_with_a_commit(town: Town) -> None:
    def give_up() -> None:
        with transaction() as session:
            session.execute(update(Region).values(name="不该留下"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    with reading() as session:
        assert "不该留下" not in session.scalars(select(Region.name)).all()


def test_after_a_writing_transaction_one_only_reads(context: Flask) -> None:
    with transaction() as session:
        plant(session, kind=RegionKind.CITY, code="city", name="清河")
    with pytest.raises(DBAPIError):
        db.session.execute(text("DELETE FROM regions"))
    db.session.rollback()


def parsed() -> Iterator[tuple[str, ast.Module]]:
    """Every source file of the product, as Python reads it."""
    for source in SOURCES:
        for path in sorted((REPOSITORY / source).rglob("*.py")):
            if "versions" not in path.parts:
                yield path.relative_to(REPOSITORY).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


MAY_LOCK = {
    "models/base.py": "Base.lock, the way rows are locked",
    "models/courses/seats/asking.py": "the runs of a batch, by id, as bare as the hot path is allowed to be",
    "models/wechat_tokens.py": "the lease on the token, on a connection of its own that has nothing loaded",
    "models/notices/sending.py": "SKIP LOCKED: a worker passes over what another claims",
    "models/ladder/holding.py": "people by id, of whom one may leave while this waits: there is no row to refresh then",
    "models/ladder/falling.py": "SKIP LOCKED: the same, one rung down",
    "models/wishes/rewinding.py": "SKIP LOCKED: clocks by the batch, and what somebody holds by itself afterwards",
    "models/ladder/sending.py": "SKIP LOCKED: the same for short messages",
}


def test_only_these_files_lock_rows() -> None:
    """A hand-written lock on a row that is already loaded returns stale values (architecture §4)."""
    locking = {
        file
        for file, tree in parsed()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "with_for_update")
        or (isinstance(node, ast.keyword) and node.arg == "with_for_update")
    }
    strangers = sorted(locking - set(MAY_LOCK))
    assert not strangers, f"lock through Base.lock(), or say in MAY_LOCK why not: {strangers}"
    assert set(MAY_LOCK) <= locking, "MAY_LOCK names a file that locks nothing"


COUNTERS = {"seats_taken", "waiting", "last_number"}
WRITING_CALLS = {"insert", "update", "delete", "Registration"}
MAY_SEAT = ("models/courses/seats/",)
KNOWS_NO_TABLES = ("server/wechat_sandbox/",)  # the stand-in for WeChat shares only our clock


def second_writers(tree: ast.Module) -> list[int]:
    """The lines that write a counter of a run or the state of a registration."""
    lines: list[int] = []
    for node in ast.walk(tree):
        targets: Iterable[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            lines += [p.lineno for p in parts if isinstance(p, ast.Attribute) and p.attr in COUNTERS]
        if isinstance(node, ast.Assign | ast.keyword) and _is_a_state(node.value):
            lines.append(node.value.lineno)
        if isinstance(node, ast.Dict):
            lines += [value.lineno for value in node.values if _is_a_state(value)]
        if isinstance(node, ast.Call):
            lines += _written_by(node)
    return lines


def _is_a_state(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "RegistrationState"
    )


def _written_by(call: ast.Call) -> list[int]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    about = call.args[0] if call.args else None
    if name == "values" and any(keyword.arg in COUNTERS for keyword in call.keywords):
        return [call.lineno]
    if name == "Registration":
        return [call.lineno]
    if name in WRITING_CALLS and isinstance(about, ast.Name) and about.id == "Registration":
        return [call.lineno]
    return []


def test_nobody_but_the_one_verb_gives_a_seat() -> None:
    found = {
        f"{file}:{line}"
        for file, tree in parsed()
        if not file.startswith(MAY_SEAT + KNOWS_NO_TABLES)
        for line in second_writers(tree)
    }
    assert found == set()


@pytest.mark.parametrize(
    "line",
    [
        "run.seats_taken += 1",
        "run.waiting = 0",
        "run.capacity, run.last_number = 1, 2",
        "row.state = RegistrationState.CANCELLED",
        "session.execute(update(Registration).where(x))",
        "session.execute(insert(Registration), rows)",
        "session.execute(delete(Registration))",
        "session.add(Registration(run=run))",
        "session.execute(update(CourseRun).values(seats_taken=3))",
        "rows = [{'state': RegistrationState.CONFIRMED}]",
    ],
)
def test_the_look_for_second_writers_sees(line: str) -> None:
    assert second_writers(ast.parse(line)) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "taken = run.seats_taken",
        "query.where(Registration.state == RegistrationState.CONFIRMED)",
        "select(Registration).where(Registration.state.in_(LIVE))",
        "if row.state is RegistrationState.CONFIRMED: pass",
        "run.state = RunState.CANCELLED",
    ],
)
def test_the_look_for_second_writers_lets_readers_be(line: str) -> None:
    assert second_writers(ast.parse(line)) == []


def test_whoever_is_not_looked_at_knows_no_tables() -> None:
    imported = {
        f"{node.module}.{alias.name}"
        for file, tree in parsed()
        if file.startswith(KNOWS_NO_TABLES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "models"
        for alias in node.names
    }
    assert imported == {"models.clock"}


def test_the_one_verb_is_where_it_is_looked_for() -> None:
    assert any(second_writers(tree) for file, tree in parsed() if file.startswith(MAY_SEAT))


# --- what it refuses to store -------------------------------------------------------------------------------------

NOT_OF_PEOPLE = {
    "kept_answers.body": "our own answer, as JSON",
    "wechat_tokens.appid": "a setting",
    "wechat_tokens.lease_holder": "made by us",
}


def test_every_text_of_people_refuses_control_characters() -> None:
    bare = {
        str(column)
        for table in db.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, String | Text) and not isinstance(column.type, Enum)
    }
    undecided = sorted(bare - set(NOT_OF_PEOPLE))
    assert not undecided, f"make these columns PlainText(n), or say in NOT_OF_PEOPLE why not: {undecided}"
    assert set(NOT_OF_PEOPLE) <= bare, "NOT_OF_PEOPLE names a column that is not there, or refuses already"
    kinds = {
        type(column.type)
        for table in db.metadata.tables.values()
        for column in table.columns
        if column.type.python_type is str and str(column) not in bare
    }
    assert kinds <= {PlainText, PublicKey, EncryptedText, Enum}


def test_every_moment_carries_its_zone() -> None:
    for table in db.metadata.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, DateTime), column
            if column.name.endswith("_at"):
                assert isinstance(column.type, UtcDateTime), column


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\r", "\ud800"])
def test_text_with_control_characters_is_refused(context: Flask, control: str) -> None:
    with pytest.raises(StatementError, match="control characters"), transaction() as session:
        session.add(Resident(name=f"王{control}芳"))


@pytest.mark.parametrize("name", ["王 芳", "第一行\n第二行\t完", "👵🏻", "\u2028", "Zoë", "𠮷野"])
def test_what_people_write_comes_back_as_it_was(context: Flask, name: str) -> None:
    with transaction() as session:
        session.add(Resident(name=name))
    with reading() as session:
        assert session.scalars(select(Resident.name)).one() == name


def test_a_naive_time_is_refused(town: Town) -> None:
    naive = FIRST_EVENING.replace(tzinfo=None)
    with pytest.raises(StatementError, match="naive"), transaction() as session:
        session.get_one(Resident, town.resident.resident_id).phone_verified_at = naive


def test_a_moment_comes_back_as_the_same_moment(town: Town) -> None:
    """E14: stored in UTC, to the microsecond, whatever zone it came in."""
    moment = FIRST_EVENING.replace(microsecond=123456)
    with transaction() as session:
        town.resident.resident(session).phone_verified_at = moment
    with reading() as session:
        back = town.resident.resident(session).phone_verified_at
    assert back == moment
    assert back is not None
    assert back.utcoffset() == timedelta(0)


def test_a_lock_keeps_what_was_changed_before_it(town: Town) -> None:
    run = town.a_run(capacity=5)
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        mine.note = "带相机"
        assert mine.lock().note == "带相机"
    assert town.now(run).note == "带相机"


def test_a_lock_shows_what_the_last_holder_left(town: Town) -> None:
    """The stale read that a hand-written lock gives."""
    run = town.a_run(capacity=5)
    with reading() as session:
        seen = session.get_one(CourseRun, run.id)
        session.expunge(seen)
    town.resident.tap(run)
    with transaction() as session:
        session.add(seen)
        assert seen.seats_taken == 0
        assert seen.lock().seats_taken == 1


def test_only_a_row_of_a_session_can_be_locked() -> None:
    with pytest.raises(RuntimeError, match="of a session"):
        Resident().lock()
