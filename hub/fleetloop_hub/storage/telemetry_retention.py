"""Takes away reports that are older than they are kept; what they add up to stays.

Samples and labels stay as well: models are made of them, and the spec bounds them. Of each kind the
last report of a device stays, however old, so that what is known of a silent device stays known.
"""

import sqlite3

_OLD = """
SELECT r.rowid, r.device, r.boot, r.seq FROM reports r
LEFT JOIN latest l USING (device, kind, boot, seq)
WHERE r.kind = ? AND r.stored_at < ? AND l.device IS NULL ORDER BY r.stored_at LIMIT ?
"""
_FORGET = "DELETE FROM reports WHERE rowid = ?"
_FORGET_WINDOW = "DELETE FROM windows WHERE device = ? AND boot = ? AND seq = ?"
_KINDS = "SELECT DISTINCT kind FROM latest"
_IS_KNOWN = """
SELECT 1 FROM latest WHERE device = ? AND kind = ? AND (boot, seq) >= (?, ?)
"""


def forget(connection: sqlite3.Connection, before: float, most: int) -> int:
    """Take away the oldest reports of each kind, within the transaction that is open.

    Args:
        connection: The database.
        before: Only those that were taken in before this, Unix seconds.
        most: No more than so many of a kind.

    Returns:
        How many.
    """
    gone = 0
    for (kind,) in connection.execute(_KINDS).fetchall():
        old = connection.execute(_OLD, (kind, before, most)).fetchall()
        connection.executemany(_FORGET, [(rowid,) for rowid, *_ in old])
        if kind == "drift":
            connection.executemany(_FORGET_WINDOW, [tuple(name) for _, *name in old])
        gone += len(old)
    return gone


def is_past(connection: sqlite3.Connection, name: tuple[str, str, int, int]) -> bool:
    """Whether a report as old as those that were taken away has come before, for all one can tell.

    Its sender would say it again only if an acknowledgement was lost for as long; to count it again
    would be wrong more often than to leave it out.

    Args:
        connection: The database.
        name: Device, kind, boot and number.
    """
    return connection.execute(_IS_KNOWN, name).fetchone() is not None
