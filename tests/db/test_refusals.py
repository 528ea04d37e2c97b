"""A database that answers and yet takes no writes is unavailable; it refuses no row of a caller."""

import pytest
from sqlalchemy import Engine, text

from db.engine import accepts_writes, open_engine, reading
from db.errors import DatabaseUnavailable, OutcomeCorrected, RowRejected
from db.queries import outcomes_of_run
from db.writer import GroupWriter
from db.writes import Receipt
from tests.db.conftest import sign
from tests.db.test_writer import in_one_batch, outcome_for, outcome_of
from tests.support.databases import refuse_writes
from tests.support.rows import new_run

SECONDS = 30


def test_a_read_only_database_is_unavailable_until_it_takes_writes_again(engine: Engine, writer: GroupWriter) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("a setting of PostgreSQL")
    writer.submit(new_run()).result(SECONDS)
    assert accepts_writes(engine)
    assert writer.stats.last_failure is None
    refuse_writes(engine, "on")
    assert not accepts_writes(engine)
    for _ in range(2):  # the first still finds its connection closed
        assert isinstance(writer.submit(new_run()).exception(SECONDS), DatabaseUnavailable)
    assert writer.stats.last_failure == "ReadOnlySqlTransaction"
    refuse_writes(engine, "off")
    assert isinstance(outcome_of(writer.submit(new_run())), Receipt | DatabaseUnavailable)
    assert writer.submit(new_run()).result(SECONDS)
    assert writer.stats.last_failure is None
    assert accepts_writes(engine)


def test_a_role_without_the_right_to_write_is_unavailable(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no roles")
    role = f"reader_{engine.url.database}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    limited = open_engine(engine.url.set(username=role))
    try:
        (answer,) = in_one_batch(limited, [new_run()])
        assert isinstance(answer, DatabaseUnavailable)
    finally:
        limited.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


def test_a_table_that_is_missing_is_the_database_being_unavailable(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE idempotency_keys"))
        connection.execute(text("DROP TABLE outcomes"))
    keyed = new_run(idempotency_key="k", request_sha256="a" * 64)
    failures: list[str] = []
    answers = in_one_batch(engine, [keyed, new_run(), keyed], on_failure=failures.append)
    assert {type(answer) for answer in answers} == {DatabaseUnavailable}
    assert failures == ["UndefinedTable" if engine.dialect.name == "postgresql" else "SQLITE_ERROR"]
    with pytest.raises(DatabaseUnavailable), reading(engine) as connection:
        outcomes_of_run(connection, "t", "r")


def test_a_row_that_is_refused_is_no_failure_of_the_database(engine: Engine) -> None:
    failures: list[str] = []
    writer = GroupWriter(engine, sign, on_failure=failures.append)
    writer.start()
    assert isinstance(writer.submit(new_run(kind=None)).exception(SECONDS), RowRejected)
    assert writer.stats.last_failure is None
    assert len(failures) == 1
    assert writer.drain(SECONDS)


def test_only_a_second_correction_is_called_corrected(engine: Engine) -> None:
    run = new_run()
    first = outcome_for(run)
    correction, again = (outcome_for(run, corrects_id=first.id) for _ in range(2))
    twin = outcome_for(run, id=first.id)
    answers = in_one_batch(engine, [run, first, correction, again])
    assert [type(answer) for answer in answers] == [Receipt, Receipt, Receipt, OutcomeCorrected]
    (refused,) = in_one_batch(engine, [twin])
    assert isinstance(refused, RowRejected)
