"""The tree against the recursive definition of RFC 9162 and published test vectors."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    frontier_nodes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves, and the roots of their first n, of the Certificate Transparency reference tests.
LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    bytes.fromhex("2021"),
    bytes.fromhex("3031"),
    bytes.fromhex("40414243"),
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(records: list[bytes]) -> bytes:
    if not records:
        return sha256(b"").digest()
    if len(records) == 1:
        return sha256(b"\x00" + records[0]).digest()
    k = 1
    while k * 2 < len(records):
        k *= 2
    return sha256(b"\x01" + naive_root(records[:k]) + naive_root(records[k:])).digest()


def naive_path(m: int, records: list[bytes]) -> list[bytes]:
    if len(records) == 1:
        return []
    k = 1
    while k * 2 < len(records):
        k *= 2
    if m < k:
        return [*naive_path(m, records[:k]), naive_root(records[k:])]
    return [*naive_path(m - k, records[k:]), naive_root(records[:k])]


def naive_subproof(m: int, records: list[bytes], whole: bool) -> list[bytes]:
    if m == len(records):
        return [] if whole else [naive_root(records)]
    k = 1
    while k * 2 < len(records):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, records[:k], whole), naive_root(records[k:])]
    return [*naive_subproof(m - k, records[k:], False), naive_root(records[:k])]


class Tree:
    def __init__(self, records: list[bytes]) -> None:
        self.leaves = [leaf_hash(record) for record in records]
        self.frontier = Frontier()
        self.nodes = {(level, position): value for level, position, value in self.frontier.extend(self.leaves)}

    def node(self, level: int, position: int) -> bytes:
        return self.leaves[position] if level == 0 else self.nodes[level, position]


def records_of(size: int) -> list[bytes]:
    return [b"record %d" % i for i in range(size)]


sizes = st.integers(1, 80)


def test_published_roots() -> None:
    assert Frontier().root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    frontier = Frontier()
    for record, root in zip(LEAVES, ROOTS, strict=True):
        frontier.extend([leaf_hash(record)])
        assert frontier.root().hex() == root


def test_published_proofs() -> None:
    tree = Tree(LEAVES)
    assert [h.hex() for h in inclusion_proof(5, 8, tree.node)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [h.hex() for h in consistency_proof(6, 8, tree.node)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(sizes, st.data())
def test_appending_in_any_portions_gives_the_recursive_root(size: int, data: st.DataObject) -> None:
    records = records_of(size)
    frontier = Frontier()
    done = 0
    while done < size:
        portion = data.draw(st.integers(1, size - done))
        frontier = Frontier(frontier.size, frontier.peaks)
        frontier.extend(leaf_hash(record) for record in records[done : done + portion])
        done += portion
        assert frontier.root() == naive_root(records[:done])


@given(sizes)
def test_the_frontier_is_rebuilt_from_the_stored_subtrees(size: int) -> None:
    tree = Tree(records_of(size))
    assert [tree.node(*at) for at in frontier_nodes(size)] == tree.frontier.peaks
    assert all(position < size >> level for level, position in tree.nodes)
    assert len(tree.nodes) == sum(size >> level for level in range(1, size.bit_length()))


@given(sizes, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    records = records_of(size)
    tree = Tree([*records, *records_of(data.draw(st.integers(0, 20)))])
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, tree.node)
    root = naive_root(records)
    leaf = tree.leaves[index]
    assert path == naive_path(index, records)
    assert verify_inclusion(index, size, leaf, path, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else 1
    assert not verify_inclusion(other, size, leaf, path, root)
    assert not verify_inclusion(index, size, leaf_hash(b"forged"), path, root)
    assert not verify_inclusion(index, size, leaf, [*path, root], root)
    if path:
        assert not verify_inclusion(index, size, leaf, path[:-1], root)
        assert not verify_inclusion(index, size, leaf, [*path[:-1], node_hash(path[-1], b"")], root)


@given(sizes, st.data())
def test_consistency(second: int, data: st.DataObject) -> None:
    records = records_of(second)
    first = data.draw(st.integers(0, second))
    tree = Tree(records)
    path = consistency_proof(first, second, tree.node)
    old, new = naive_root(records[:first]), naive_root(records)
    assert path == (naive_subproof(first, records, True) if first else [])
    assert verify_consistency(first, second, old, new, path)
    forged = naive_root([b"forged", *records[1:first]]) if first else leaf_hash(b"forged")
    assert not verify_consistency(first, second, forged, new, path)
    assert not verify_consistency(first, second, old, new, [*path, new])
    if 0 < first < second:
        assert not verify_consistency(first, second, old, leaf_hash(b"forged"), path)
        assert not verify_consistency(first, second, old, new, path[:-1])


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_impossible_positions_are_refused(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf index"):
        inclusion_proof(index, size, lambda _level, _position: b"")
    assert not verify_inclusion(index, size, b"", [], b"")


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        consistency_proof(3, 2, lambda _level, _position: b"")
    assert not verify_consistency(3, 2, b"", b"", [])
    with pytest.raises(ValueError, match="subtree"):
        Frontier(3, [b""])
