from streams.lanes.api import Record

def records(
    raw: bytes, count: int, base: int, stamp: int, stamped: int, first: int, kind: type[Record]
) -> list[Record] | None: ...
