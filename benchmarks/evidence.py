"""Writes tables into docs/evidence.md, each between two comments that name it."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "evidence.md"


def write_table(name: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    """Puts a table, one row for each key, in place of the one of that name; prints it too."""
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | {' | '.join(cells)} |" for row, cells in rows.items()]
    table = "\n".join(lines)
    print(table)
    begin, end = f"<!-- {name} table -->\n", f"<!-- end of {name} table -->"
    before, rest = PAGE.read_text().split(begin)
    PAGE.write_text(f"{before}{begin}\n{table}\n\n{end}{rest.split(end)[1]}")
