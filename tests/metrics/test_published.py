"""The papers' numbers stand beside results of the same protocol, and only there."""

from latentreel.metrics.protocols import PROTOCOLS
from latentreel.metrics.published import TABLES, published


def test_every_table_is_of_a_protocol_that_there_is_or_of_none():
    assert {table.protocol for table in TABLES} <= {*PROTOCOLS, None}
    assert len(published()) == sum(len(table.rows) for table in TABLES)
    assert published("latentreel") == []
    assert {row.score for row in published("mocogan_hd_fvd")} == {"FVD"}


def test_every_number_stands_in_the_papers_page(fixtures_dir):
    """docs/papers.md prints what the package holds, to the digit."""
    page = (fixtures_dir.parents[1] / "docs" / "papers.md").read_text()
    for table in TABLES:
        values = (value if isinstance(value, tuple) else (value,) for value in table.rows.values())
        rows = zip(table.rows, (" ± ".join(f"{number:g}" for number in numbers) for numbers in values), strict=True)
        protocol = f"`{table.protocol}`" if table.protocol else ""
        told = "; ".join(f"{method}: {numbers}" for method, numbers in rows)
        assert f"| {table.source} | {table.dataset} | {table.score} | {protocol} | {told} |" in page
