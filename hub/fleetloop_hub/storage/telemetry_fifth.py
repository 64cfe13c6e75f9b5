"""The fifth form of the telemetry database: what reports and labels add up to is kept."""

import sqlite3

from fleetloop_hub.storage.telemetry_kinds import read
from fleetloop_hub.storage.telemetry_sums import TABLES, DigestIntake

_LABELS = """
-- As before, and by version, so that who follows one version reads on in its own labels alone.
DROP TRIGGER label_meets_its_row;
DROP TRIGGER row_meets_its_label;
ALTER TABLE met RENAME TO met_before;
CREATE TABLE met (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    prediction_id TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL
);
CREATE INDEX met_of_model ON met (model, number);
CREATE INDEX met_of_version ON met (model, version, number);

-- Labelled samples by the hour of their event time, and what their labels say of the answers.
CREATE TABLE labelled (
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    labels INTEGER NOT NULL,
    correct INTEGER NOT NULL,
    distance REAL,
    PRIMARY KEY (model, version, hour)
) WITHOUT ROWID;
CREATE TRIGGER met_counts AFTER INSERT ON met BEGIN
    INSERT INTO labelled
    SELECT s.model, s.version, cast(s.at / 3600 AS INTEGER), 1, s.label = l.label,
    coalesce(abs(1.0 * s.label - l.label), 0)
    FROM samples s JOIN labels l USING (device, prediction_id)
    WHERE s.device = NEW.device AND s.prediction_id = NEW.prediction_id
    ON CONFLICT DO UPDATE SET labels = labels + excluded.labels,
    correct = correct + excluded.correct, distance = distance + excluded.distance;
END;
CREATE TRIGGER label_given_up AFTER DELETE ON labels WHEN NOT OLD.waiting BEGIN
    INSERT INTO labelled
    SELECT s.model, s.version, cast(s.at / 3600 AS INTEGER), -1, -(s.label = OLD.label),
    -coalesce(abs(1.0 * s.label - OLD.label), 0)
    FROM samples s WHERE s.device = OLD.device AND s.prediction_id = OLD.prediction_id
    ON CONFLICT DO UPDATE SET labels = labels + excluded.labels,
    correct = correct + excluded.correct, distance = distance + excluded.distance;
END;
CREATE TRIGGER label_meets_its_row AFTER INSERT ON labels WHEN NOT NEW.waiting BEGIN
    INSERT INTO met (device, prediction_id, model, version)
    SELECT device, prediction_id, model, version FROM samples
    WHERE device = NEW.device AND prediction_id = NEW.prediction_id;
END;
CREATE TRIGGER row_meets_its_label AFTER UPDATE OF waiting ON labels
WHEN OLD.waiting AND NOT NEW.waiting BEGIN
    INSERT INTO met (device, prediction_id, model, version)
    SELECT device, prediction_id, model, version FROM samples
    WHERE device = NEW.device AND prediction_id = NEW.prediction_id;
END;
INSERT INTO met SELECT m.number, m.device, m.prediction_id, s.model, s.version
FROM met_before m JOIN samples s USING (device, prediction_id) ORDER BY m.number;
DROP TABLE met_before;
"""

FIFTH = f"{TABLES}{_LABELS}"
"""What makes a database of the fourth form one of the fifth, but for `add_up`."""


def add_up(connection: sqlite3.Connection) -> None:
    """Add up the reports that were taken in before sums were kept.

    Args:
        connection: The database, with a transaction open.
    """
    intake = DigestIntake(connection)
    query = "SELECT kind, payload, stored_at FROM reports ORDER BY rowid"
    for kind, payload, stored_at in connection.execute(query):
        intake.take(kind, read(kind, payload), stored_at)
