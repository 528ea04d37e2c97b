"""A writer goes on only from the log that it knows."""

import pytest
from sqlalchemy import Engine, delete, select, update

from db.engine import snapshot
from db.errors import LogInconsistent
from db.merkle import leaf_hash
from db.tables import audit_checkpoints, audit_entries, audit_nodes, runs
from db.verify import verify_database
from db.writer import GroupWriter
from tests.db.conftest import sign
from tests.support.rows import new_run


def store(writer: GroupWriter, count: int) -> None:
    for _ in range(count):
        writer.submit(new_run()).result(30)


def cut(engine: Engine, size: int) -> None:
    """Roll the database back to a size of its log, rows and all."""
    complete = [(node.level, node.position) for node in _nodes(engine) if (node.position + 1) * 2**node.level <= size]
    with engine.begin() as connection:
        connection.execute(delete(runs).where(runs.c.leaf_index >= size))
        connection.execute(delete(audit_entries).where(audit_entries.c.leaf_index >= size))
        connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.size > size))
        for node in _nodes(engine):
            if (node.level, node.position) not in complete:
                here = audit_nodes.c.level == node.level, audit_nodes.c.position == node.position
                connection.execute(delete(audit_nodes).where(*here))


def _nodes(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(connection.execute(select(audit_nodes)).all())


@pytest.mark.parametrize("left", [0, 1, 6])
def test_a_writer_whose_log_became_shorter_appends_nothing(engine: Engine, writer: GroupWriter, left: int) -> None:
    store(writer, 7)
    cut(engine, left)
    with snapshot(engine) as connection:
        assert verify_database(connection, lambda s, r, signature: sign(s, r) == signature).size == left
    for _ in range(2):
        with pytest.raises(LogInconsistent):
            writer.submit(new_run()).result(30)
    with engine.connect() as connection:
        assert len(connection.execute(select(runs.c.id)).all()) == left


def test_a_longer_log_that_lost_what_was_committed_is_refused(engine: Engine, writer: GroupWriter) -> None:
    store(writer, 5)
    cut(engine, 2)
    other = GroupWriter(engine, sign)
    other.start()
    store(other, 6)
    assert other.drain(30)
    with pytest.raises(LogInconsistent):
        writer.submit(new_run()).result(30)


def test_the_leaves_of_another_writer_are_accepted(engine: Engine, writer: GroupWriter) -> None:
    other = GroupWriter(engine, sign)
    other.start()
    for count in (1, 2, 5):
        store(writer, count)
        store(other, count)
    assert other.drain(30)
    with snapshot(engine) as connection:
        assert verify_database(connection, lambda s, r, signature: sign(s, r) == signature).ok


def test_a_changed_leaf_stops_a_writer_that_knows_the_old_one(engine: Engine, writer: GroupWriter) -> None:
    store(writer, 3)
    with engine.begin() as connection:
        forged = leaf_hash(b"forged")
        connection.execute(update(audit_entries).where(audit_entries.c.leaf_index == 2).values(leaf_hash=forged))
    other = GroupWriter(engine, sign)
    other.start()
    with pytest.raises(LogInconsistent):
        other.submit(new_run()).result(30)
    assert other.drain(30)


def test_a_writer_appends_to_nothing_that_another_key_signed(engine: Engine) -> None:
    mine, other = (
        GroupWriter(
            engine, signs, check_signature=lambda size, root, signature, signs=signs: signature == signs(size, root)
        )
        for signs in (sign, lambda size, root: bytes(64))
    )
    for started in (mine, other):
        started.start()
    store(mine, 2)
    with pytest.raises(LogInconsistent):
        other.submit(new_run()).result(30)
    store(mine, 1)
    for started in (mine, other):
        assert started.drain(30)
